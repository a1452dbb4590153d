"""A line of a file, and the first difference between the lines of two."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Line", "first_difference"]

_AROUND = 40
"""Characters on each side of a difference that are shown."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a table, or a sentence.

    Attributes:
        number: its number in the file, from 1.
        cells: its cells; one for a sentence.
        heads: the names of the cells; none for a sentence.
        table: the title of the table; empty where the file has one table.
        naming: places of the cells that name the line.
    """

    number: int
    cells: tuple[str, ...]
    heads: tuple[str, ...] = ()
    table: str = ""
    naming: tuple[int, ...] = (0,)

    @property
    def name(self) -> str:
        """The cells that name the line, those alone that say something."""
        return ", ".join(filter(None, (self.cells[place] for place in self.naming if place < len(self.cells))))


def first_difference(
    written: Sequence[Line], made: Sequence[Line], *, tolerance: float = 0.0
) -> tuple[int, str] | None:
    """Return the line and a sentence on the first difference between two files; None where there is none.

    Args:
        written: lines of the file that is checked.
        made: lines as they are made of the records.
        tolerance: largest relative difference of two numbers in a table that count as equal.
    """
    pairs = list(zip(written, made, strict=False))
    unlike = [pair for pair in pairs if not _alike(*pair, tolerance)]
    if unlike:
        number, says = unlike[0][0].number, _difference(*unlike[0], tolerance)
        more = f" {len(unlike) - 1} further line{'s differ' if len(unlike) > 2 else ' differs'}."
        return number, says + more * (len(unlike) > 1 and len(written) == len(made))
    if len(written) > len(made):
        return written[len(made)].number, f"{_whole(written[len(made)])} is written, and the records have no such line."
    if len(written) < len(made):
        end = written[-1].number + 1 if written else 1
        return end, f"{_whole(made[len(written)])} is missing."
    return None


def _alike(written: Line, made: Line, tolerance: float) -> bool:
    if written.cells == made.cells:
        return True
    return (
        tolerance > 0
        and bool(made.heads)
        and len(written.cells) == len(made.cells)
        and all(_close(*pair, tolerance) for pair in zip(written.cells, made.cells, strict=True))
    )


def _close(written: str, made: str, tolerance: float) -> bool:
    if written == made:
        return True
    try:
        return math.isclose(float(written), float(made), rel_tol=tolerance, abs_tol=tolerance)
    except ValueError:
        return False


def _difference(written: Line, made: Line, tolerance: float) -> str:
    if not made.heads or len(written.cells) != len(made.cells):
        if len(written.cells) == len(made.cells) == 1:
            first, second = _around(written.cells[0], made.cells[0])
            return f"{first} is written, the records say {second}."
        return f"{_whole(written)} is written, the records say {_whole(made)}."
    cells = zip(written.cells, made.cells, strict=True)
    place = next(place for place, pair in enumerate(cells) if not _close(*pair, tolerance))
    table = f"table '{made.table}', " if made.table else ""
    column = made.heads[place] if place < len(made.heads) else str(place + 1)
    return (
        f"{table}row '{made.name}', column '{column}': '{written.cells[place]}' is written, the records say "
        f"'{made.cells[place]}'."
    )


def _around(written: str, made: str) -> tuple[str, str]:
    """Return both texts around their first difference."""
    pairs = enumerate(zip(written, made, strict=False))
    at = next((place for place, (one, other) in pairs if one != other), min(len(written), len(made)))
    return _cut(written, at), _cut(made, at)


def _whole(line: Line) -> str:
    return _cut(" | ".join(line.cells), 0)


def _cut(text: str, at: int) -> str:
    start, end = max(0, at - _AROUND), at + _AROUND
    return f"'{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))}'"
