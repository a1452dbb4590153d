"""Line numbers of the keys of a TOML file, which `tomllib` does not report, and faults at these lines."""

import re
from collections import Counter
from dataclasses import dataclass

__all__ = ["Fault", "Lines"]

Path = tuple[str | int, ...]

_NAME = r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|[\w-]+)"""
_NAMES = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_NAMES})\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"\s*({_NAMES})\s*=")
_NOISE = re.compile(r'''"""|\'\'\'|"(?:\\.|[^"\\])*"|'[^']*'|#.*$''')
_ENDS = {'"""': re.compile(r'(?:\\.|[^\\])*?"""'), "'''": re.compile(r".*?'''")}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault in a suite's file.

    Attributes:
        line: its line, counted from 1.
        text: the fault, the remedy, and the allowed values.
    """

    line: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The first and the last line of a key with its value, or of a header, counted from 1."""

    first: int
    last: int


class Lines:
    """The lines of the keys and tables of a TOML file. Keys inside an inline value are found by their text."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.extents: dict[Path, Extent] = {}
        tables: Counter[Path] = Counter()
        table: Path = ()
        key: Path = ()
        quote = ""
        first = depth = 0
        for number, line in enumerate(self.lines, start=1):
            if not depth and not quote:
                if header := _HEADER.match(line):
                    table = self._table(header[2], tables, is_array=header[1] == "[[")
                    self.extents.setdefault(table, Extent(first=number, last=number))
                    continue
                if not (found := _KEY.match(line)):
                    continue
                key, first = (*table, *_parts(found[1])), number
            bare, quote = _bare(line, quote)
            depth += sum(bare.count(letter) for letter in "[{") - sum(bare.count(letter) for letter in "]}")
            if not depth and not quote:
                self.extents[key] = Extent(first=first, last=number)

    def find(self, path: Path, text: str = "") -> int:
        """Return the line of this path, e.g. ``("grid", 0, "methods")``; of the nearest enclosing key, if it has none.

        Args:
            text: a text within the value: the first line there that contains it is returned.
        """
        while path and path not in self.extents:
            text = text or str(path[-1])
            path = path[:-1]
        extent = self.extents.get(path, Extent(first=1, last=len(self.lines)))
        if path and not isinstance(path[-1], str):  # an element of an array of tables extends to the next header
            starts = sorted(other.first for key, other in self.extents.items() if key[: len(path)] != path)
            after = [start for start in starts if start > extent.first]
            extent = Extent(first=extent.first, last=min(after, default=len(self.lines) + 1) - 1)
        for number in range(extent.first, extent.last + 1):
            if text and re.search(rf"(?<![\w-]){re.escape(text)}(?![\w-])", self.lines[number - 1]):
                return number
        return extent.first

    def _table(self, name: str, tables: Counter[Path], *, is_array: bool) -> Path:
        path: Path = ()
        parts = _parts(name)
        for place, part in enumerate(parts):
            path = (*path, part)
            if is_array and place == len(parts) - 1:
                tables[path] += 1
            if tables[path]:
                path = (*path, tables[path] - 1)
        return path


def _parts(names: str) -> list[str]:
    """Return a dotted key, part by part, without quotes."""
    return [part.strip("\"'") for part in re.findall(_NAME, names)]


def _bare(line: str, quote: str) -> tuple[str, str]:
    """Return a line without strings and comments.

    Args:
        quote: the quote of a multi-line string that the line begins within, or empty.

    Returns:
        the line, and the quote of such a string that continues after it, or empty.
    """
    bare, place = "", 0
    while True:
        if quote:
            end = _ENDS[quote].match(line, place)
            if end is None:
                return bare, quote
            place, quote = end.end(), ""
        found = _NOISE.search(line, place)
        if found is None:
            return bare + line[place:], ""
        bare, place = bare + line[place : found.start()], found.end()
        quote = found[0] if found[0] in _ENDS else ""
