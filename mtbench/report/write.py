"""Reports on disk: every table and figure of a set of runs."""

from collections.abc import Sequence
from pathlib import Path

from mtbench.report.conflict.equal_loss import equal_losses
from mtbench.report.conventions.presets import preset_pages
from mtbench.report.conventions.table import Converted
from mtbench.report.files import (
    beside_files,
    comparison_files,
    csv_bytes,
    equal_loss_files,
    marked_up,
    study_files,
    write_files,
)
from mtbench.report.results.choices import DEFAULT, Choices
from mtbench.report.results.comparison import compare
from mtbench.report.results.frame import tidy_frame
from mtbench.report.studies.exhibits import study_exhibits
from mtbench.report.studies.runs import StudyRuns
from mtbench.report.tables.table import build_table
from mtbench.report.typeset.layout import page_of
from mtbench.report.typeset.markup import render_csv
from mtbench.store.status import RunStatus

__all__ = ["DEFAULT_REPORTS", "write_converted", "write_report"]

DEFAULT_REPORTS = Path("reports/local")


def write_report(
    statuses: Sequence[RunStatus],
    out: Path | None,
    studies: Sequence[StudyRuns] = (),
    choices: Choices = DEFAULT,
) -> list[Path]:
    """Write tables, figures and the tidy frame of some runs; the same runs make the same bytes.

    Args:
        statuses: the runs, of any datasets and protocols.
        out: the folder for everything, or None for one per dataset below `DEFAULT_REPORTS`.
        studies: searches whose exhibits are written too.
        choices: of the summary tables.

    Returns:
        The files, in the order in which they were written.

    Raises:
        StoreError: a file cannot be written.
    """
    comparisons = compare(statuses)
    found, equal = study_exhibits(studies, comparisons), equal_losses(comparisons)
    files: list[Path] = []
    for folder in dict.fromkeys([each.folder for each in comparisons] + [each.folder for each in found]):
        here = [comparison for comparison in comparisons if comparison.folder == folder]
        content = {f"{folder}-runs.csv": csv_bytes(tidy_frame(here))} if here else {}
        for comparison in here:
            table = build_table(comparison, choices)
            stem = f"{comparison.folder}-{comparison.slug}"
            content |= dict(comparison_files(comparison, stem, table, page_of(table)))
            content |= beside_files(comparison, stem, table, choices)
        for page in preset_pages(here):
            content |= marked_up(page, page.label)
        for at_loss in equal:
            content |= dict(equal_loss_files(at_loss, at_loss.page.label)) if at_loss.home in here else {}
        for each in found:
            content |= dict(study_files(each)) if each.folder == folder else {}
        files += write_files(content, out or DEFAULT_REPORTS / folder)
    return files


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
