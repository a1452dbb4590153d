"""Gradient-based maps, for networks without maps of their own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, Network, Stage
from mtbench.errors import UsageError
from mtbench.explanation.grid import Grid, trace

__all__ = ["FINE", "GradientMaps"]

FINE = 7
"""Smallest number of cells along the sides of a map: the last one of ResNet-18 and VGG-11 has 7 x 7 at 224 pixels."""
VALUES = 2**24
"""Largest number of values at a time in the largest feature map of the backbone, since all maps are kept."""


class GradientMaps:
    """Maps of the places that increase the output of an answer: gradient times activation, by Captum.

    With a_c(i) channel c of a stage's map before its last nonlinearity at place i, and y the network's output for a
    class, the map is::

        m(i) = max(0, sum_c a_c(i) dy / da_c(i))

    which is HiResCAM (Draelos & Carin 2020), and Grad-CAM (Selvaraju et al. 2017) if the map is averaged over its
    places before a linear head, as ResNet's is. Grad-CAM itself averages the gradient over places, so that for a
    network such as LeNet, whose head distinguishes places, it would show the same places for every task. After a ReLU
    the map is the same, since the gradient is 0 where the ReLU is 0.

    The stage is the last one with `FINE` cells along each side, or if there is none the one with the largest map; for
    small images a network's last map, such as the 2 x 2 of ResNet-18 at 64 pixels, has too few places.

    A network may call a stage more than once (the top-down network's two passes) or have several backbones (one for
    each task, experts). All calls count that affect the task's output, but not through another one of them: for the
    top-down network those of its second pass, for cross-stitch those of every backbone. Their maps are added.

    Attributes:
        stage: the name of the stage.
        cells: the size (h, w) of the maps.
        grid: the places of the cells in the image.
    """

    def __init__(self, network: Network, backbone: Backbone) -> None:
        """Args: `backbone` is like those that the network is built on; the shapes of its stages are used.

        Raises:
            UsageError: Captum is not installed, or no stage has a map with places.
        """
        self._attribution = _captum()
        self._network = network
        level = _level(backbone)
        self.stage = list(backbone.stages)[level]
        _, *cells = backbone.shapes[level].pre
        self.cells = cells[0], cells[1]
        if min(self.cells) < 2:
            raise UsageError(
                f"{type(backbone).__name__} has no feature map with places: its largest one is "
                f"{cells[0]} x {cells[1]}.",
                allowed="Attention maps need a backbone with convolutions, or a network with its own map.",
            )
        self.grid: Grid = trace(backbone, level)
        self._at_once = max(1, VALUES // backbone.largest_map)

    def maps(self, inputs: Tensor, index: int, classes: Tensor) -> Tensor:
        """Return the maps (B, h, w) of a task for images (B, C, H, W) and the explained classes (B,)."""
        places = _last_calls(self._network, inputs[:1], index, self.cells)
        if not places:
            raise UsageError(
                f"no {self.cells[0]} x {self.cells[1]} map of stage '{self.stage}' reaches the output of task "
                f"'{self._network.tasks[index].name}' of {type(self._network).__name__}.",
                allowed="Attention maps need a network that uses the stages of a backbone, or has its own map.",
            )
        chunks = zip(torch.split(inputs, self._at_once), torch.split(classes, self._at_once), strict=True)
        return torch.cat([self._shown(places, images, index, asked) for images, asked in chunks])

    def _shown(self, places: "Sequence[_Place]", images: Tensor, index: int, classes: Tensor) -> Tensor:
        with _watching(places) as layers:
            attribution = self._attribution(lambda images: self._network.task_output(images, index), layers)
            parts = attribution.attribute(images, target=classes)
        return torch.stack([part.detach().sum(1) for part in parts]).sum(0).clamp(min=0)


def _captum() -> Any:
    try:
        from captum.attr import LayerGradientXActivation
    except ImportError as cause:
        raise UsageError(
            "this network has no attention map of its own, and a gradient-based one needs Captum, which is not "
            "installed.",
            mend="Install it: pip install 'mtbench[explain]'",
        ) from cause
    return LayerGradientXActivation


def _level(backbone: Backbone) -> int:
    sides = [min(shape.pre[1:]) for shape in backbone.shapes]
    fine = [level for level, side in enumerate(sides) if side >= FINE]
    return fine[-1] if fine else max(range(len(sides)), key=lambda level: (sides[level], level))


@dataclass(frozen=True, kw_only=True)
class _Place:
    """One of the calls of the second half of a stage, counted from 0, and its input map."""

    post: nn.Module
    call: int
    maps: Tensor


def _last_calls(network: Network, image: Tensor, index: int, cells: tuple[int, int]) -> list[_Place]:
    """Return the calls with maps of that size that affect a task's output, none through another, the last one first."""
    calls: list[_Place] = []
    counts: dict[nn.Module, int] = {}

    def note(post: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        call = counts[post] = counts.get(post, -1) + 1
        maps = inputs[0].clone()  # so that operations in place do not change the stored map
        maps = maps if maps.requires_grad else maps.requires_grad_()
        if maps.dim() == 4 and tuple(maps.shape[2:]) == cells:
            calls.append(_Place(post=post, call=call, maps=maps))
        return (maps.clone(),)

    hooks = [post.register_forward_pre_hook(note) for post in _posts(network)]
    with torch.enable_grad():
        output = network.task_output(image, index).sum()
    for hook in hooks:
        hook.remove()
    found: list[_Place] = []
    for place in reversed(calls):
        if not _reaches(place, [other.maps.sum() for other in found]) and _reaches(place, [output]):
            found.append(place)
    return found


def _reaches(place: _Place, numbers: Sequence[Tensor]) -> bool:
    if not numbers:
        return False
    total = torch.stack(list(numbers)).sum()
    (gradient,) = torch.autograd.grad(total, place.maps, allow_unused=True, retain_graph=True)
    return gradient is not None


def _posts(network: Network) -> list[nn.Module]:
    """Return the second halves of all stages, each once."""
    return list({stage.post: None for stage in network.modules() if isinstance(stage, Stage)})


@contextmanager
def _watching(places: Sequence[_Place]) -> Iterator[list[nn.Module]]:
    """Pass the map of each of these calls through a module of its own within the block.

    Copies before and after it protect the map from layers that work in place.

    Captum keeps only the last call of a layer, so that it would silently show another pass if a layer is called more
    often. These modules are called once.
    """
    layers = {(place.post, place.call): nn.Identity() for place in places}
    counts = dict.fromkeys((place.post for place in places), -1)

    def through(post: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        counts[post] += 1
        layer = layers.get((post, counts[post]))
        return inputs if layer is None else (layer(inputs[0].clone()).clone(),)

    hooks = [post.register_forward_pre_hook(through) for post in counts]
    try:
        yield list(layers.values())
    finally:
        for hook in hooks:
            hook.remove()
