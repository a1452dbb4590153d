"""A line of a file, and the first difference between the lines of two."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from mtbench.report.marks import MARKS

__all__ = ["Line", "first_difference"]

_AROUND = 40
"""Characters on each side of a difference that are shown."""
_ZERO = 1e-12
"""The largest remainder of a sum that is 0."""


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

    @property
    def key(self) -> tuple[tuple[str, ...], ...]:
        """Equal keys are of one line in two files."""
        return (self.heads, (_unmarked(self.name),)) if self.heads else (self.cells,)


def first_difference(
    written: Sequence[Line], made: Sequence[Line], *, tolerance: float = 0.0
) -> tuple[int, str] | None:
    """Return the line and a sentence on the first difference between two files; None where there is none.

    An altered number counts first, wherever it is: marks and captions may have changed with the code.

    Args:
        written: lines of the file that is checked.
        made: lines as they are made of the records.
        tolerance: largest relative difference of two numbers in a table that count as equal.
    """
    unlike = [pair for pair in _pairs(written, made) if not _alike(*pair[1:], tolerance)]
    if not unlike:
        return None
    altered = (pair for pair in unlike if _altered(*pair[1:], tolerance))
    number, old, new = next(altered, unlike[0])
    more = len(unlike) - 1
    further = f" {more} further line{'s differ' if more > 1 else ' differs'}." if more else ""
    return number, _difference(old, new, tolerance) + further


def _pairs(written: Sequence[Line], made: Sequence[Line]) -> Iterator[tuple[int, Line | None, Line | None]]:
    """Yield the lines of two files that belong together, and the place of each pair in the first."""
    end = written[-1].number + 1 if written else 1
    matcher = SequenceMatcher(None, [line.key for line in written], [line.key for line in made], autojunk=False)
    for _, start, stop, first, last in matcher.get_opcodes():
        number = written[start].number if start < len(written) else end
        for old, new in zip_longest(written[start:stop], made[first:last]):
            number = old.number if old else number
            yield number, old, new


def _alike(written: Line | None, made: Line | None, tolerance: float) -> bool:
    if written is None or made is None:
        return False
    return written.cells == made.cells or (
        bool(made.heads) and not any(True for _ in _unlike(written, made, tolerance))
    )


def _altered(written: Line | None, made: Line | None, tolerance: float) -> bool:
    """Return True if a number in a table is another one."""
    if written is None or made is None or not made.heads:
        return False
    return any(_is_number(written, made, place) for place in _unlike(written, made, tolerance))


def _unlike(written: Line, made: Line, tolerance: float) -> list[int]:
    """Return the places of cells that differ; if one line has more cells, the place of the first of them too."""
    cells = list(zip(written.cells, made.cells, strict=False))
    unlike = [place for place, pair in enumerate(cells) if not _close(*pair, tolerance)]
    return unlike + [len(cells)] * (len(written.cells) != len(made.cells))


def _is_number(written: Line, made: Line, place: int) -> bool:
    if place >= min(len(written.cells), len(made.cells)):
        return False
    old, new = _unmarked(written.cells[place]), _unmarked(made.cells[place])
    return old != new and any(map(str.isdigit, old)) and any(map(str.isdigit, new))


def _unmarked(text: str) -> str:
    return text.translate(dict.fromkeys(map(ord, MARKS)))


def _close(written: str, made: str, tolerance: float) -> bool:
    if written == made:
        return True
    try:
        return math.isclose(float(written), float(made), rel_tol=tolerance, abs_tol=min(tolerance, _ZERO))
    except ValueError:
        return False


def _difference(written: Line | None, made: Line | None, tolerance: float) -> str:
    if written is None:
        return f"{_whole(made)} is missing."
    if made is None:
        return f"{_whole(written)} is written, and the records have no such line."
    if not made.heads or len(written.cells) != len(made.cells):
        if len(written.cells) == len(made.cells) == 1:
            first, second = _around(written.cells[0], made.cells[0])
            return f"{first} is written, the records say {second}."
        return f"{_whole(written)} is written, the records say {_whole(made)}."
    unlike = _unlike(written, made, tolerance)
    place = next((place for place in unlike if _is_number(written, made, place)), unlike[0])
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


def _whole(line: Line | None) -> str:
    return _cut(" | ".join(line.cells if line else ()), _AROUND)


def _cut(text: str, at: int) -> str:
    start, end = max(0, at - _AROUND), at + _AROUND
    return f"'{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))}'"
