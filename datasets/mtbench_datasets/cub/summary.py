"""Sentences for `prepare`: how many colors are marked for each part, and how good a constant point is.

Shapes: N images, G groups, n points.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from .annotations import Annotations, several
from .vocabulary import GROUPS

__all__ = ["EASY", "best_point", "color_lines", "near", "point_lines"]

NEAR = 0.1
"""The distance, as a fraction of the image's side, within which a point is right."""
EASY = 0.3
"""The fraction of visible parts beyond which a constant point is too good for pointing to say much."""
GRID = 50
"""Points along each side that are tried as constant points."""


def color_lines(annotations: Annotations) -> Iterator[str]:
    """Return a line per task: the percentages of images in which none, one or several of its colors are marked.

    Colors of a part that is marked as not visible do not count.
    """
    count = several(annotations.votes)
    for index, group in enumerate(GROUPS):
        column = count[:, index]
        none, one, many = (_percent(float(which.double().mean())) for which in (column == 0, column == 1, column > 1))
        yield f"{group.name}: no color in {none} of the images, one in {one}, several in {many}"


def point_lines(train: Tensor, test: Tensor) -> Iterator[str]:
    """Return lines on the parts' points: how often they are visible, and how often a constant point is right.

    Args:
        train, test: (N, G, 2), points as fractions of the image's width and height, NaN where undefined.
    """
    easy = []
    for index, group in enumerate(GROUPS):
        seen, shown = (points[:, index][~points[:, index].isnan().any(1)] for points in (train, test))
        line = f"{group.name}: visible in {_percent(len(shown) / max(1, len(test)))} of the test images"
        if len(seen) and len(shown):
            right = float(near(shown, best_point(seen)).double().mean())
            line += f"; the best constant point is within {NEAR:.1f} of the side in {_percent(right)} of these"
            easy += [group.name] if right > EASY else []
        yield line
    if easy:
        yield (
            f"warning: a constant point is right for more than {_percent(EASY)} of the visible parts of "
            f"{', '.join(easy)}: that a network points to these says little"
        )


def best_point(points: Tensor) -> Tensor:
    """Return the point (2,) of a grid of 50 x 50 that is `near` the most of some points (n, 2), n > 0."""
    steps = (torch.arange(GRID) + 0.5) / GRID
    tried = [torch.cartesian_prod(step[None], steps) for step in steps]  # a column at a time, to save memory
    hits = torch.cat([near(points[None], column[:, None]).sum(1) for column in tried])
    return torch.cat(tried)[hits.argmax()]


def near(points: Tensor, others: Tensor) -> Tensor:
    """Return which (...) bool of some points (..., 2) lie within a tenth of the side of others."""
    return (points - others).norm(dim=-1) <= NEAR


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"
