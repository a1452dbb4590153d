"""Sentences for `prepare` on the annotations that were read."""

from collections.abc import Iterator

from .annotations import Annotations, several
from .vocabulary import GROUPS

__all__ = ["color_lines"]


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
