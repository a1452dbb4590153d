"""The methods that a figure tells apart where there are many, and the legend below it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from mtbench.report.figure.style import WIDTH, Look, looks_of
from mtbench.report.text import wrap

__all__ = ["ENDS", "ENDS_EXPLAINED", "GREY", "LETTER", "LINE", "MANY", "Legend", "legend_of", "longest", "told_apart"]

LETTER = 0.055
"""Inches per character of small type."""
LINE = 0.13
"""Inches per line of small type."""
MANY = 16
"""Methods that can be told apart by the looks of their lines, and that points have room between, at most."""
ENDS = 4
"""The number of best lines, and of worst, that have looks of their own where there are more methods than that."""
ENDS_EXPLAINED = f"Colored: the {ENDS} best and the {ENDS} worst {{by}}. Grey: the others, mean over seeds."
GREY = "#C4C4C4"


@dataclass(frozen=True, kw_only=True)
class Legend:
    """The legend below a figure.

    Attributes:
        names: the names of the methods, wrapped.
        across: number of names side by side.
        explained: the meaning of the figure's marks, in lines.
    """

    names: tuple[str, ...]
    across: int
    explained: str

    @property
    def height(self) -> float:
        """Inches. It fills its columns one after the other; each of its rows is as high as its highest name."""
        rows = math.ceil(len(self.names) / self.across)
        lines = sum(max(name.count("\n") + 1 for name in self.names[row::rows]) for row in range(rows))
        return LINE * (lines + self.explained.count("\n") + 1)

    def draw(self, figure: Figure, handles: Sequence[Artist]) -> None:
        """Put it below everything else; `handles` show the looks, in the order of the names."""
        legend = figure.legend(
            list(handles),
            list(self.names),
            loc="outside lower center",
            ncols=self.across,
            handlelength=2.6,
            title=self.explained,
            title_fontsize=6.5,
        )
        legend.get_title().set_multialignment("center")


def legend_of(names: Iterable[str], explained: str, *, at_most: int = 4, width: float = WIDTH) -> Legend:
    """Return a legend with as many names side by side as there is room for, in rows of about equal length.

    Args:
        names: the names.
        explained: the meaning of the figure's marks, in lines.
        at_most: the largest number of names side by side.
        width: inches of the figure.
    """
    wrapped = tuple(wrap(name, 46) for name in names)
    room = max(1, int(width / (LETTER * (longest(wrapped) + 8))))
    rows = math.ceil(len(wrapped) / min(at_most, room))
    return Legend(names=wrapped, across=max(1, math.ceil(len(wrapped) / max(1, rows))), explained=explained)


def longest(names: Iterable[str]) -> int:
    """Return the characters of the longest line of any name."""
    return max((len(line) for name in names for line in name.split("\n")), default=0)


def told_apart(
    titles: Sequence[str], goodness: Mapping[str, float], known: Mapping[str, Look] = MappingProxyType({})
) -> dict[str, tuple[str, Look]]:
    """Return the looks of lines, and what stands before their names: of all methods, or of the best and the worst of
    many, which are numbered by rank.

    Args:
        titles: the methods, whose place decides their look where it is not known.
        goodness: a number for each of those that are drawn, higher for better ones.
        known: looks that methods have in other figures, by title.
    """
    found = looks_of(titles, known)
    if len(goodness) <= MANY:
        return {title: ("", look) for title, look in found.items() if title in goodness}
    ranked = sorted(goodness, key=lambda title: (math.isnan(goodness[title]), -goodness[title]))
    ends = list(enumerate(ranked, start=1))
    return {title: (f"{place}. ", found[title]) for place, title in ends[:ENDS] + ends[-ENDS:]}
