"""Sentences for `prepare` on the annotations that were read."""

from collections.abc import Iterator

from torch import Tensor

from .annotations import Annotations, several
from .vocabulary import GROUPS, PARTS

__all__ = ["color_lines", "outside_lines"]


def color_lines(annotations: Annotations) -> Iterator[str]:
    """Return a line per task: the percentages of images in which none, one or several of its colors are marked.

    Colors of a part that is marked as not visible do not count.
    """
    count = several(annotations.votes)
    for index, group in enumerate(GROUPS):
        column = count[:, index]
        none, one, many = (
            f"{100 * float(which.double().mean()):.1f} %" for which in (column == 0, column == 1, column > 1)
        )
        yield f"{group.name}: no color in {none} of the images, one in {one}, several in {many}"


def outside_lines(annotations: Annotations, frames: Tensor) -> Iterator[str]:
    """Return a line on points outside their images, which are read as those of parts that are not visible.

    Args:
        frames: (N, 2), width and height of the images as released.
    """
    places = annotations.places
    outside = ((places < 0) | (places > frames[:, None])).any(2)  # NaN is neither
    if outside.any():
        image, part = outside.nonzero()[0].tolist()
        (x, y), (width, height) = places[image, part].tolist(), frames[image].tolist()
        yield (
            f"visible parts with a point outside the image, of which the place is taken as unknown: "
            f"{int(outside.sum()):,}, the first the {PARTS[part]} of {annotations.names[image]} at {x:g}, {y:g} of "
            f"{width} x {height} pixels"
        )
