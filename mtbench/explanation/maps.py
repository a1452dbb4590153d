"""Attention maps of a network by task: its own, or gradient-based ones."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbench.contract import Backbone, Network
from mtbench.explanation.gradient import GradientMaps
from mtbench.explanation.grid import Axis, Grid, spread

__all__ = ["Maps", "TaskMaps", "enlarge", "maps_of"]


class Maps(Protocol):
    """A source of maps.

    Attributes:
        name: name of the maps, for captions.
        says: a description in one or two sentences, with its source.
        gradient_based: True if they are computed from gradients, and not by the network itself.
    """

    name: str
    says: str
    gradient_based: bool

    def of(self, inputs: Tensor, index: int, classes: Tensor) -> "TaskMaps":
        """Return the maps of a task for images (B, C, H, W) and the predicted classes (B,)."""


@dataclass(frozen=True, kw_only=True)
class TaskMaps:
    """The maps of one task.

    Attributes:
        values: (B, h, w) on the CPU; larger is more.
        grid: the places of their cells in the image.
    """

    values: Tensor
    grid: Grid

    def peaks(self) -> Tensor:
        """Return the points (B, 2), x and y in pixels, of the highest cells; NaN for an empty map, whose cells are all
        equal.

        Among several highest cells the first is taken.
        """
        width = self.values.shape[2]
        highest = self.values.flatten(1).argmax(1)
        points = torch.stack(
            [self.grid.columns.at((highest % width).double()), self.grid.rows.at((highest // width).double())], dim=1
        )
        low, high = self.values.flatten(1).aminmax(dim=1)
        return points.where((high > low)[:, None], torch.nan)


class OwnMaps:
    """The network's own maps, of `Network.task_map`."""

    gradient_based = False

    def __init__(self, network: Network) -> None:
        self._network = network
        self.name = network.task_map_name
        self.says = f"Maps are the network's own: its {self.name}."

    def of(self, inputs: Tensor, index: int, classes: Tensor) -> TaskMaps:  # noqa: ARG002
        with torch.no_grad():
            found = self._network.task_map(inputs, index)
        assert found is not None
        size = int(inputs.shape[2]), int(inputs.shape[3])
        return TaskMaps(values=found.detach().float().cpu(), grid=spread((found.shape[1], found.shape[2]), size))


class ByGradient:
    """Gradient-based maps, of `GradientMaps`."""

    gradient_based = True

    def __init__(self, network: Network, backbone: Backbone) -> None:
        self._source = GradientMaps(network, backbone)
        height, width = self._source.cells
        self.name = "gradient-based map"
        self.says = (
            f"Maps are gradient-based, since the network has none of its own: the activations of the {height} x "
            f"{width} map of stage '{self._source.stage}' times the gradient of the predicted class's output, summed "
            "over channels, positive part (HiResCAM, Draelos & Carin 2020; computed with Captum). They show the places "
            "that increase the output of the predicted class; they are not trained."
        )

    def of(self, inputs: Tensor, index: int, classes: Tensor) -> TaskMaps:
        return TaskMaps(values=self._source.maps(inputs, index, classes).cpu(), grid=self._source.grid)


def maps_of(network: Network, backbone: Backbone, image: Tensor) -> Maps:
    """Return a network's own maps, or gradient-based ones if it has none.

    Args:
        backbone: see `GradientMaps`.
        image: one image (1, C, H, W).

    Raises:
        UsageError: it has neither.
    """
    with torch.no_grad():
        own = network.task_map(image, 0)
    return ByGradient(network, backbone) if own is None else OwnMaps(network)


def enlarge(values: NDArray[np.float32], grid: Grid, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return a map (h, w) as shown over an image (H, W): from 0 to 1, linear between the centers of cells.

    Beyond the outermost centers the map continues for half a cell and is 0 after that. An empty map is 0 everywhere.
    """
    scaled = values.astype(np.float64)
    low, high = scaled.min(), scaled.max()
    scaled = (scaled - low) / (high - low) if high > low else np.zeros_like(scaled)
    rows, columns = (
        _weights(axis, cells, side)
        for axis, cells, side in zip((grid.rows, grid.columns), values.shape, size, strict=True)
    )
    return rows @ scaled @ columns.T


def _weights(axis: Axis, cells: int, side: int) -> NDArray[np.float64]:
    """Return the weight (side, cells) of each cell in each pixel, along one axis."""
    place = (np.arange(side) - axis.start) / axis.step
    inside = (place >= -0.5) & (place <= cells - 0.5)
    weights = np.maximum(0, 1 - np.abs(np.clip(place, 0, cells - 1)[:, None] - np.arange(cells)))
    return weights * inside[:, None]  # type: ignore[no-any-return]
