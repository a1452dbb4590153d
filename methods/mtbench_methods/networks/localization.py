"""The localization loss: cross-entropy between a map and the point of each task's object.

Shapes: B examples of H x W pixels, T tasks, a map of h x w places, of which pixel (y, x) belongs to place (y h // H, x
w // W). Pixel centers are whole numbers, as those of `Split.points`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mtbench.contract import Batch, Setup, Task, option
from mtbench.errors import UsageError

__all__ = ["divisor_option", "localization_losses", "require_points", "target", "weight_option"]

SIGMA, SIDE = 3.0, 224
"""Standard deviation of a target in pixels on images of this side length; proportional to the side on others."""


def weight_option(where: str) -> Any:
    """Return the option ``loc_loss`` of a network; `where` names the trained map in its help."""
    return option(0.0, f"weight of the localization loss {where}, on datasets with points", low=0)


def divisor_option() -> Any:
    """Return the option ``loc_divisor``."""
    return option(
        "visible",
        "what a task's localization loss is averaged over: its examples whose point is known (visible), or all of "
        "its examples, as in the released code",
        choices=("visible", "all"),
    )


def require_points(method: str, setup: Setup) -> None:
    """Raise UsageError if the dataset of a network with a localization loss has no points."""
    if not setup.points:
        raise UsageError(
            f"option 'loc_loss' of method '{method}' needs points of the tasks' objects, and this dataset has none.",
            mend="Leave it out, or take a dataset with points.",
        )


def localization_losses(maps: Sequence[Tensor], batch: Batch, tasks: Sequence[Task], *, divisor: str) -> Tensor:
    """Return the localization loss of each task (T,), scaled like its other losses (Levi & Ullman 2020).

    For an example with the map m it is ``-sum_p T(p) log softmax(m)(p)``, with a Gaussian target T around the task's
    point, see `target`. An example whose point is unknown or outside the image adds nothing; a task without other
    examples has 0. The sum is divided by the number of visible points, so that a part that is often hidden has the same
    weight as the others. The released code divides by all, and truncates the Gaussian to 15 x 15 pixels.

    Args:
        maps: logits (B, h, w) of each task, right in the rows that the batch may use. If they are smaller than the
            images, targets are pooled to their places.
        divisor: a value of `divisor_option`: ``visible`` or ``all``.
    """
    assert batch.points is not None  # else the network could not be built
    assert isinstance(batch.inputs, Tensor)
    height, width = batch.inputs.shape[2:]
    losses = []
    for index, (task, logits, use) in enumerate(zip(tasks, maps, batch.use, strict=True)):
        points = batch.points[:, index]  # (B, 2)
        inside = ((points >= -0.5) & (points < points.new_tensor([width, height]) - 0.5)).all(1)  # NaN is not
        rows = (use & inside).nonzero().squeeze(1)
        count = int(use.sum()) if divisor == "all" else len(rows)
        if not len(rows):
            losses.append(logits.new_zeros(()))
            continue
        logits = logits[rows].to(torch.promote_types(logits.dtype, torch.float32))
        along_y, along_x = target(points[rows], (height, width), logits.shape[1:])
        with torch.autocast(logits.device.type, enabled=False):  # a loss is in float32, whatever the maps are in
            expected = torch.einsum("nh,nw,nhw->n", along_y, along_x, logits)
        losses.append(task.scale * (logits.flatten(1).logsumexp(1) - expected).sum() / count)
    return torch.stack(losses)


def target(points: Tensor, size: tuple[int, int], places: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return Gaussians around points, pooled to the places of a map: along y (n, h) and along x (n, w).

    The target of place (i, j) is the product of both. It sums to 1 for any point: the part of a Gaussian outside the
    image is distributed inside.

    Args:
        points: (n, 2), x and y in pixels.
        size: (H, W) of the images.
        places: (h, w) of the map.
    """
    axes = []
    for at, length, count in zip(points.flip(1).T, size, places, strict=True):
        pixels = torch.arange(length, device=points.device)
        distances = (pixels - at[:, None]) / (SIGMA * length / SIDE)
        per_pixel = (-distances.square() / 2).softmax(1)  # (n, length)
        axes.append(per_pixel.new_zeros(len(points), count).index_add_(1, pixels * count // length, per_pixel))
    return axes[0], axes[1]
