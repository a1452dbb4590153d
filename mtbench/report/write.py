"""Reports on disk: every table and figure of a set of runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.conventions.convert import Converted
from mtbench.report.data.frame import tidy_frame
from mtbench.report.data.studies import StudyRuns
from mtbench.report.exhibits.beside import pages_beside
from mtbench.report.exhibits.equal_loss.page import equal_losses
from mtbench.report.exhibits.protocols.page import preset_pages
from mtbench.report.exhibits.searches import StudyExhibit, study_exhibits
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.report.exhibits.summary.numbers import render_csv
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.files import (
    beside_files,
    comparison_files,
    csv_bytes,
    equal_loss_files,
    marked_up,
    study_files,
    write_files,
)
from mtbench.report.page.layout import Page
from mtbench.store.status import RunStatus

__all__ = ["DEFAULT_REPORTS", "Report", "make_report", "write_converted"]

DEFAULT_REPORTS = Path("reports/local")


@dataclass(frozen=True, kw_only=True)
class Report:
    """The tables of some runs, each built once for the screen and for files.

    Attributes:
        choices: of the summary tables.
        tables: the comparisons, each with its summary table.
        exhibits: what searches found.
    """

    choices: Choices
    tables: tuple[tuple[Comparison, Table], ...]
    exhibits: tuple[StudyExhibit, ...]

    @property
    def comparisons(self) -> list[Comparison]:
        """The runs that may stand in one table, for each table."""
        return [comparison for comparison, _ in self.tables]

    def pages(self) -> Iterator[Page]:
        """Yield what is shown on the screen: each table and what stands beside it, protocols, then searches."""
        for comparison, table in self.tables:
            yield page_of(table)
            for _, page in pages_beside(comparison, self.choices):
                yield page
        yield from preset_pages(self.comparisons)
        for exhibit in self.exhibits:
            yield exhibit.page

    def write(self, out: Path | None) -> list[Path]:
        """Write tables, figures and the tidy frame; the same runs make the same bytes.

        Args:
            out: the folder for everything, or None for one per dataset below `DEFAULT_REPORTS`.

        Returns:
            The files, in the order in which they were written.

        Raises:
            StoreError: a file cannot be written.
        """
        comparisons, equal = self.comparisons, equal_losses(self.comparisons)
        files: list[Path] = []
        for folder in dict.fromkeys([each.folder for each in comparisons] + [each.folder for each in self.exhibits]):
            here = [comparison for comparison in comparisons if comparison.folder == folder]
            content = {f"{folder}-runs.csv": csv_bytes(tidy_frame(here))} if here else {}
            for comparison, table in self.tables:
                if comparison.folder == folder:
                    stem = f"{folder}-{comparison.slug}"
                    content |= dict(comparison_files(comparison, stem, table, page_of(table)))
                    content |= beside_files(comparison, stem, table, self.choices)
            for page in preset_pages(here):
                content |= marked_up(page, page.label)
            for at_loss in equal:
                content |= dict(equal_loss_files(at_loss, at_loss.page.label)) if at_loss.home in here else {}
            for each in self.exhibits:
                content |= dict(study_files(each)) if each.folder == folder else {}
            files += write_files(content, out or DEFAULT_REPORTS / folder)
        return files


def make_report(statuses: Sequence[RunStatus], studies: Sequence[StudyRuns] = (), choices: Choices = DEFAULT) -> Report:
    """Return the tables of some runs.

    Args:
        statuses: the runs, of any datasets and protocols.
        studies: searches whose exhibits are shown too.
        choices: of the summary tables.
    """
    comparisons = compare(statuses)
    return Report(
        choices=choices,
        tables=tuple((comparison, build_table(comparison, choices)) for comparison in comparisons),
        exhibits=tuple(study_exhibits(studies, comparisons)),
    )


def write_converted(found: Sequence[Converted], out: Path | None) -> list[Path]:
    """Write the tables of comparisons that were read by a convention, whose name is part of those of the files.

    Args:
        found: of any datasets and protocols.
        out: the folder for everything, or None for one per dataset below `DEFAULT_REPORTS`.

    Raises:
        StoreError: a file cannot be written.
    """
    files: list[Path] = []
    for folder in dict.fromkeys(each.comparison.folder for each in found):
        content: dict[str, bytes] = {}
        for each in found:
            if each.comparison.folder == folder:
                stem = f"{folder}-{each.comparison.slug}-{each.name}-table"
                table = each.table()
                content |= marked_up(page_of(table), stem) | {f"{stem}.csv": render_csv(table).encode()}
        files += write_files(content, out or DEFAULT_REPORTS / folder)
    return files
