"""Reports on disk: every table and figure of a suite."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mtbench.report.conventions.suite import ConvertedSheet
from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.frame import tidy_frame
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.claims.judged import Judged
from mtbench.report.exhibits.claims.page import claims_frame, claims_page
from mtbench.report.exhibits.equal_loss.page import equal_losses
from mtbench.report.exhibits.exhibit import Exhibit
from mtbench.report.exhibits.pairs.published import relation_pages
from mtbench.report.exhibits.published.page import published_frame, published_page
from mtbench.report.exhibits.published.tuned import tuned_paper_page
from mtbench.report.exhibits.searches import scatters
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.numbers import render_csv
from mtbench.report.figure.style import save
from mtbench.report.files import (
    beside_files,
    comparison_files,
    csv_bytes,
    equal_loss_files,
    marked_up,
    picture_files,
    study_files,
    write_files,
)
from mtbench.report.suites.pages import exhibits, sheet_page, suite_study_exhibits
from mtbench.report.write import DEFAULT_REPORTS

__all__ = ["write_converted_sheets", "write_suite"]


def write_converted_sheets(sheets: Sequence[ConvertedSheet], out: Path | None) -> list[Path]:
    """Write the tables of a suite that were read by a convention, and what was published beside them.

    Args:
        sheets: of one suite.
        out: the folder for everything, or None for one of the suite's name below `DEFAULT_REPORTS`.

    Raises:
        StoreError: a file cannot be written.
    """
    content: dict[str, bytes] = {}
    for each in sheets:
        for end, page in each.pages():
            content |= marked_up(page, f"{each.stem}-{end}")
        content[f"{each.stem}-table.csv"] = render_csv(each.found.table()).encode()
    return write_files(content, out or DEFAULT_REPORTS / sheets[0].runs.suite.name)


def write_suite(runs: SuiteRuns, judged: Sequence[Judged], out: Path | None, choices: Choices = DEFAULT) -> list[Path]:
    """Write what `mtbench.report.write.Report` writes for each table of a suite, the paper's numbers beside ours, the
    figures that the suite asks for, and the claims.

    Of the values that a suite varies each has a table, and no curves and points of its own.

    Args:
        runs: of one size.
        judged: its claims.
        out: the folder for everything, or None for one of the suite's name below `DEFAULT_REPORTS`.
        choices: of the summary tables; claims and figures are of what the suite declares.

    Raises:
        StoreError: a file cannot be written.
    """
    comparisons = [sheet.comparison for sheet in runs.sheets]
    content = {f"{runs.slug}-runs.csv": csv_bytes(tidy_frame(comparisons))} if comparisons else {}
    for sheet in runs.sheets:
        stem = runs.stem(sheet)
        table, drawn = build_table(sheet.comparison, choices), not sheet.varied(runs.suite)
        content |= dict(comparison_files(sheet.comparison, stem, table, sheet_page(runs, sheet, choices), drawn=drawn))
        content |= beside_files(sheet.comparison, stem, table, choices)
        if page := published_page(runs, sheet):
            content |= marked_up(page, f"{stem}-paper")
        for page in relation_pages(runs, sheet):
            content |= marked_up(page, page.label)
        if page := tuned_paper_page(runs, sheet):
            content |= marked_up(page, page.label)
        if "scatter" in runs.suite.figures and not runs.studies:
            content |= dict(picture_files(scatters(sheet.comparison), stem))
    for at_loss in equal_losses(comparisons):
        content |= dict(equal_loss_files(at_loss, f"{runs.slug}-{at_loss.page.label}"))
    for found in suite_study_exhibits(runs):
        content |= dict(study_files(found))
    for exhibit in exhibits(runs):
        content |= dict(_exhibited(exhibit, f"{runs.slug}-{exhibit.name}"))
    if not (published := published_frame(runs)).empty:
        content[f"{runs.slug}-paper.csv"] = csv_bytes(published)
    if judged:
        content |= marked_up(claims_page(runs, judged), f"{runs.slug}-claims")
        content[f"{runs.slug}-claims.csv"] = csv_bytes(claims_frame(runs, judged))
    return write_files(content, out or DEFAULT_REPORTS / runs.suite.name)


def _exhibited(exhibit: Exhibit, stem: str) -> Iterator[tuple[str, bytes]]:
    for page in exhibit.pages:
        yield from marked_up(page, page.label).items()
    yield f"{stem}.csv", csv_bytes(exhibit.frame)
    if exhibit.draw:
        for kind, data in save(exhibit.draw()).items():
            yield f"{stem}.{kind}", data
