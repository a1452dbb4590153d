"""A table as plain words in cells, before any markup: what LaTeX, Markdown and the terminal share."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtbench.report import text
from mtbench.report.page.words import DASH, Words, plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Layout", "Lead", "Page", "Seeds", "blocks", "page_of_frame"]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Cells in lines; the first cell of each line names the method.

    Attributes:
        header: the heads.
        lines: one per method, each as long as `header`.
        tasks: number of columns after the first that belong to tasks.
        costs: number of columns at the end with the costs of a method.
        together: number of adjacent columns of tasks that belong together, and are not separated if there is room for
            them.
    """

    header: tuple[str, ...]
    lines: tuple[tuple[Words, ...], ...]
    tasks: int
    costs: int
    together: int = 1

    @property
    def apart(self) -> bool:
        """True if it has nothing beside the methods but what they take."""
        return 0 < self.costs == len(self.header) - 1


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """The numbers of single runs behind a column of a table.

    Attributes:
        task: the name of the task; empty for numbers of all tasks together.
        unit: the unit of the numbers, e.g. ``%``; may be empty.
        higher_is_better: the good direction.
        values: numbers of the seeds of each method, by its title, in the order of the comparison's seeds; NaN where
            there is no finished run.
    """

    task: str
    unit: str
    higher_is_better: bool
    values: Mapping[str, Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Lead:
    """A column that a page for a browser shows right behind the methods, be it in the table or not.

    Attributes:
        head: its head.
        cells: its cells by the title of the method.
        caption: a sentence on it for the caption of a table without it.
        details: sentences on it for the details of a table without it.
    """

    head: str
    cells: Mapping[str, str]
    caption: str
    details: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """A table in words with all that stands around it, of whatever it is made.

    Attributes:
        title: the subject of the page.
        label: the same as part of a name.
        quick: True if it is a preview, not a result.
        layout: the table.
        caption: sentences that a paper prints above the table: the quantity, the number of seeds, the meaning of bold.
        details: sentences for a paragraph below the table: training, tests and definitions in full.
        footnotes: sentences on what is not as it should be.
        aside: the explanation of heads if there is no room for the caption.
        methods: the title of the method of each line, empty for lines of none; no titles where lines are of something
            else.
        seeds: the numbers of single runs behind columns, by their heads.
        macros: the arguments of the macros of ``numbers.tex`` that print a number, by method and head of the column.
        lead: the column that comes first in a browser; None for the order of the layout.
    """

    title: str
    label: str
    quick: bool
    layout: Layout
    caption: tuple[str, ...]
    details: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    aside: str = ""
    methods: tuple[str, ...] = ()
    seeds: Mapping[str, Seeds] = field(default_factory=dict)
    macros: Mapping[tuple[str, str], str] = field(default_factory=dict)
    lead: Lead | None = None


def page_of_frame(frame: "pd.DataFrame", *, title: str, label: str, quick: bool, caption: str) -> Page:
    """Return the page of a frame: a line per row, numbers with two decimals, and a dash where there is none."""
    lines = tuple(plain(map(_said, row)) for row in frame.itertuples(index=False))
    layout = Layout(header=tuple(map(str, frame.columns)), lines=lines, tasks=len(frame.columns) - 1, costs=0)
    return Page(title=title, label=label, quick=quick, layout=layout, caption=(caption,))


def _said(value: object) -> str:
    if isinstance(value, float):
        return DASH if math.isnan(value) else text.fixed(value)
    return str(value)


def blocks(
    layout: Layout, *, width: float, name: int, head: int, gap: float, measure: Callable[[Words], float]
) -> list[Layout]:
    """Cut a table into blocks of columns that fit a width, to stand below one another, each with the methods in front.

    Args:
        width: the largest width of a line.
        name: characters that a method's name may take before it is wrapped.
        head: characters that a head may take before it is wrapped.
        gap: between two columns.
        measure: a function that returns the width of a cell.
    """

    def widest(says: str, characters: int) -> float:
        return max(measure(Words(says=part)) for part in text.wrap(says, characters).split("\n"))

    first = gap + max(widest(says.says, name) for says, *_ in [*layout.lines, [Words(says=layout.header[0])]])
    widths = [
        gap + max(widest(says, head), *(measure(line[index]) for line in layout.lines))
        for index, says in enumerate(layout.header)
    ]
    end = len(layout.header)
    whole = list(range(1 + layout.tasks, end))
    tasks = [
        list(range(start, min(start + layout.together, 1 + layout.tasks)))
        for start in range(1, 1 + layout.tasks, layout.together)
    ]

    def fits(columns: Sequence[int]) -> bool:
        return first + sum(widths[index] for index in columns) - gap <= width

    if not all(map(fits, tasks)):
        tasks = [[index] for piece in tasks for index in piece]

    # What belongs to the whole method stays together, so that its cost is seen beside its mean; else its cost does.
    ways = ([whole], [whole[: -layout.costs], whole[-layout.costs :]], [[index] for index in whole])
    groups: list[list[int]] = [[]]
    for piece in [*tasks, *next((way for way in ways if all(map(fits, way))), ways[-1])]:
        if groups[-1] and not fits(groups[-1] + piece):
            groups.append([])
        groups[-1] += piece
    return [_only(layout, [0, *group]) for group in groups]


def _only(layout: Layout, columns: Sequence[int]) -> Layout:
    return Layout(
        header=tuple(layout.header[index] for index in columns),
        lines=tuple(tuple(line[index] for index in columns) for line in layout.lines),
        tasks=sum(0 < index <= layout.tasks for index in columns),
        costs=sum(index >= len(layout.header) - layout.costs for index in columns),
    )
