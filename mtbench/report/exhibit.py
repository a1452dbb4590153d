"""Exhibits: the parts of a report, each a plug-in of the group ``mtbench.exhibits``."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.studies import StudyRuns
from mtbench.report.text import slug

if TYPE_CHECKING:  # planning a suite imports torch, and most reports are of no suite
    import pandas as pd
    from matplotlib.figure import Figure

    from mtbench.report.data.suite.runs import Sheet, SuiteRuns
    from mtbench.report.exhibits.claims.judged import Judged
    from mtbench.report.exhibits.summary.data import Table
    from mtbench.report.figure.style import Look
    from mtbench.report.page.layout import Page

__all__ = ["Draw", "Exhibit", "Results", "Shown"]

Draw: TypeAlias = "Callable[[], Figure | Iterable[Figure]]"
"""A function that draws one figure, or several pages of it."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that one report is made of.

    Attributes:
        comparisons: runs that may stand in one table, for each table; of a suite those of its sheets.
        studies: the searches; in a report of a suite those of the suite.
        choices: the choices of the reader, for summary tables.
        suite: runs of the suite that the report is of; None without a suite.
        convention: name of the published convention by which numbers were read; empty without one.
        root: folder of the data files.
        in_folder: titles of all methods of the results folder, in the order in which they have their looks; empty for
            those of the comparisons and searches here.
    """

    comparisons: tuple[Comparison, ...]
    studies: tuple[StudyRuns, ...] = ()
    choices: Choices = DEFAULT
    suite: "SuiteRuns | None" = None
    convention: str = ""
    root: Path = Path()
    in_folder: tuple[str, ...] = ()

    @classmethod
    def of_suite(
        cls,
        suite: "SuiteRuns",
        root: Path = Path(),
        choices: Choices = DEFAULT,
        convention: str = "",
        in_folder: tuple[str, ...] = (),
    ) -> "Results":
        """Return the results of a suite's runs of one size; the arguments are those of the class."""
        return cls(
            comparisons=tuple(sheet.comparison for sheet in suite.sheets),
            studies=suite.studies,
            choices=choices,
            suite=suite,
            convention=convention,
            root=root,
            in_folder=in_folder,
        )

    def sheet(self, comparison: Comparison) -> "Sheet | None":
        """Return the sheet of the suite that a comparison is of; None without a suite."""
        return self._sheets.get(id(comparison))

    def stem(self, comparison: Comparison) -> str:
        """Return the beginning of the names of a comparison's files."""
        sheet = self.sheet(comparison)
        start = self.suite.stem(sheet) if self.suite and sheet else f"{comparison.folder}-{comparison.slug}"
        return f"{start}-{self.convention}" if self.convention else start

    def choices_of(self, comparison: Comparison) -> Choices:
        """Return the reader's choices, with the comparison of ranks that the suite fixes, and the Δm of the convention
        by which the comparison was read, if there are any."""
        choices = self.choices
        if self.suite:
            family = replace(choices.rank_intervals, blocks=self.suite.suite.ranks == "paired")
            choices = replace(choices, rank_intervals=family)
        return replace(choices, delta=comparison.reading.delta) if comparison.reading else choices

    def table(self, comparison: Comparison) -> "Table":
        """Return the summary table of a comparison, which is built once."""
        from mtbench.report.exhibits.summary.data import build_table

        if id(comparison) not in self._tables:
            self._tables[id(comparison)] = build_table(comparison, self.choices_of(comparison))
        return self._tables[id(comparison)]

    def is_drawn(self, comparison: Comparison) -> bool:
        """Return whether a comparison has figures: a run has finished, numbers were read as usual, and it is
        not one of several over which a suite varies a setting."""
        sheet = self.sheet(comparison)
        varied = self.suite is not None and sheet is not None and sheet.varied(self.suite.suite)
        return bool(comparison.tasks) and not self.convention and not varied

    @cached_property
    def looks(self) -> "Mapping[str, Look]":
        """The look of each method and searched method by title, the same in all figures of a results folder, whatever
        suites call the method."""
        from mtbench.report.figure.style import looks_of

        methods = {each.title: each.runs[0].spec.titles.method for one in self.comparisons for each in one.methods}
        searched = {found.title: found.study.titles.method for found in self.studies}
        names = searched | methods
        alike, known = Counter(names.values()), set(self.in_folder)
        called = {
            title: name if name in known and alike[name] == 1 and title not in known else title
            for title, name in names.items()
        }
        here = [*sorted(called[title] for title in methods), *(called[title] for title in searched)]
        looks = looks_of([*self.in_folder, *here])
        return {title: looks[name] for title, name in called.items()}

    @cached_property
    def judged(self) -> "tuple[Judged, ...]":
        """The claims of the suite, judged on its runs; none without a suite, or of numbers by a convention."""
        if self.suite is None or self.convention:
            return ()
        from mtbench.report.exhibits.claims.judged import judge_claims

        return tuple(judge_claims(self.suite, self.root))

    @cached_property
    def _tables(self) -> "dict[int, Table]":
        return {}

    @cached_property
    def _sheets(self) -> "Mapping[int, Sheet]":
        return {id(sheet.comparison): sheet for sheet in self.suite.sheets} if self.suite else {}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A piece of a report: tables in words, numbers and figures, each by the name of its files without the ending.

    Attributes:
        pages: tables for the screen, LaTeX and Markdown.
        wide: further tables for Markdown alone, too wide for a screen or a paper.
        numbers: tidy frames at full precision, for CSV.
        texts: further files, by name with its ending; they replace a file of that name that is made of a page.
        figures: functions that draw figures, for PDF and PNG; the second page of a figure has ``-2`` behind its name.
        drawn: functions that return the numbers in figures, by the names of the figures; without one a web page shows
            `numbers` below them.
        beside: comparison beside whose summary table the piece stands; None for pieces after all summary tables.
        folder: folder of the files, where a report has one for each dataset; empty for that of `beside`.
    """

    pages: "Mapping[str, Page]" = field(default_factory=dict)
    wide: "Mapping[str, Page]" = field(default_factory=dict)
    numbers: "Mapping[str, pd.DataFrame]" = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Draw] = field(default_factory=dict)
    drawn: "Mapping[str, Callable[[], pd.DataFrame]]" = field(default_factory=dict)
    beside: Comparison | None = None
    folder: str = ""

    @classmethod
    def of_frame(
        cls,
        results: Results,
        comparison: Comparison,
        name: str,
        frame: "pd.DataFrame",
        *,
        caption: str,
        draw: "Callable[[pd.DataFrame], Figure] | None" = None,
    ) -> "Shown":
        """Return a frame as a table, as numbers and as a figure.

        Args:
            results, comparison: see `Exhibit.show`; the piece stands beside the summary table of the comparison.
            name: a few words for the title and the names of files.
            frame: a row per line of the table, the name of a method first; tables show numbers with two decimals.
            caption: sentences above the table.
            draw: a function that draws the frame; None for no figure.
        """
        from mtbench.report.page.layout import page_of_frame

        stem = f"{results.stem(comparison)}-{slug(name)}"
        page = page_of_frame(
            frame, title=f"{comparison.dataset_title}: {name}", label=stem, quick=comparison.quick, caption=caption
        )
        figures: dict[str, Draw] = {stem: partial(draw, frame)} if draw else {}
        return cls(pages={stem: page}, numbers={stem: frame}, figures=figures, beside=comparison)


class Exhibit(ABC):
    """A kind of table or figure, shown wherever the results have the numbers for it.

    Attributes:
        scope: reports that show it: ``report`` (all), ``suite`` (those of suites), or ``request`` (those of suites
            whose key `figures` names it). A plain text, for it is read from the source.
        order: place among the exhibits; smaller numbers come first.
        by_convention: True if it is also shown of numbers that were read by a published convention.
    """

    scope: ClassVar[str] = "report"
    order: ClassVar[int] = 150
    by_convention: ClassVar[bool] = False

    @abstractmethod
    def show(self, results: Results) -> "Iterable[Shown]":
        """Return the pieces that the results have; none where they lack the numbers.

        It is called once per report, and every reader (screen, files, figures) has what it returns.
        """
