"""Reports on disk: every table and figure of a set of runs, or of a suite."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from mtbench.report.claims.judged import Judged
from mtbench.report.claims.page import claims_frame, claims_page
from mtbench.report.conflict.diagnostics import diagnostic_files
from mtbench.report.conflict.equal_loss import EqualLoss, equal_losses
from mtbench.report.conflict.pairs import relation_pages
from mtbench.report.conventions.presets import preset_pages
from mtbench.report.conventions.suite import ConvertedSheet
from mtbench.report.conventions.table import Converted
from mtbench.report.drawing.figures import draw_curves, draw_points
from mtbench.report.drawing.style import save
from mtbench.report.exhibits.exhibit import Exhibit
from mtbench.report.results.choices import DEFAULT, Choices
from mtbench.report.results.comparison import Comparison, compare
from mtbench.report.results.frame import tidy_frame
from mtbench.report.studies.exhibits import StudyExhibit, scatters, study_exhibits
from mtbench.report.studies.runs import StudyRuns
from mtbench.report.studies.tuned_paper import tuned_paper_page
from mtbench.report.suites.pages import exhibits, sheet_page, suite_study_exhibits
from mtbench.report.suites.suite import SuiteRuns
from mtbench.report.tables.beside import pages_beside
from mtbench.report.tables.columns import is_wide
from mtbench.report.tables.pointing import pointing_frame
from mtbench.report.tables.published import published_frame, published_page
from mtbench.report.tables.table import Table, build_table
from mtbench.report.typeset.latex import render_latex
from mtbench.report.typeset.layout import Page, page_of
from mtbench.report.typeset.markup import render_csv, render_markdown
from mtbench.store.atomic import make_folder, write_bytes
from mtbench.store.status import RunStatus

__all__ = ["DEFAULT_REPORTS", "write_converted", "write_converted_sheets", "write_report", "write_suite"]

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
        content = {f"{folder}-runs.csv": _csv(tidy_frame(here))} if here else {}
        for comparison in here:
            table = build_table(comparison, choices)
            stem = f"{comparison.folder}-{comparison.slug}"
            content |= dict(_files(comparison, stem, table, page_of(table)))
            content |= _beside(comparison, stem, table, choices)
        for page in preset_pages(here):
            content |= _marked_up(page, page.label)
        for at_loss in equal:
            content |= dict(_compared(at_loss, at_loss.page.label)) if at_loss.home in here else {}
        for each in found:
            content |= dict(_found(each)) if each.folder == folder else {}
        files += _write(content, out or DEFAULT_REPORTS / folder)
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
                content |= _marked_up(page_of(table), stem) | {f"{stem}.csv": render_csv(table).encode()}
        files += _write(content, out or DEFAULT_REPORTS / folder)
    return files


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
            content |= _marked_up(page, f"{each.stem}-{end}")
        content[f"{each.stem}-table.csv"] = render_csv(each.found.table()).encode()
    return _write(content, out or DEFAULT_REPORTS / sheets[0].runs.suite.name)


def write_suite(runs: SuiteRuns, judged: Sequence[Judged], out: Path | None, choices: Choices = DEFAULT) -> list[Path]:
    """Write what `write_report` does for each table of a suite, the paper's numbers beside ours, the figures that the
    suite asks for, and the claims.

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
    content = {f"{runs.slug}-runs.csv": _csv(tidy_frame(comparisons))} if comparisons else {}
    for sheet in runs.sheets:
        stem = runs.stem(sheet)
        table, drawn = build_table(sheet.comparison, choices), not sheet.varied(runs.suite)
        content |= dict(_files(sheet.comparison, stem, table, sheet_page(runs, sheet, choices), drawn=drawn))
        content |= _beside(sheet.comparison, stem, table, choices)
        if page := published_page(runs, sheet):
            content |= _marked_up(page, f"{stem}-paper")
        for page in relation_pages(runs, sheet):
            content |= _marked_up(page, page.label)
        if page := tuned_paper_page(runs, sheet):
            content |= _marked_up(page, page.label)
        if "scatter" in runs.suite.figures and not runs.studies:
            content |= dict(_pictures(scatters(sheet.comparison), stem))
    for at_loss in equal_losses(comparisons):
        content |= dict(_compared(at_loss, f"{runs.slug}-{at_loss.page.label}"))
    for found in suite_study_exhibits(runs):
        content |= dict(_found(found))
    for exhibit in exhibits(runs):
        content |= dict(_exhibited(exhibit, f"{runs.slug}-{exhibit.name}"))
    if not (published := published_frame(runs)).empty:
        content[f"{runs.slug}-paper.csv"] = _csv(published)
    if judged:
        content |= _marked_up(claims_page(runs, judged), f"{runs.slug}-claims")
        content[f"{runs.slug}-claims.csv"] = _csv(claims_frame(runs, judged))
    return _write(content, out or DEFAULT_REPORTS / runs.suite.name)


def _write(content: Mapping[str, bytes], directory: Path) -> list[Path]:
    make_folder(directory)
    for name, data in content.items():
        write_bytes(directory / name, data)
    return [directory / name for name in content]


def _files(
    comparison: Comparison, stem: str, table: Table, page: Page, *, drawn: bool = True
) -> Iterator[tuple[str, bytes]]:
    yield from _marked_up(page, f"{stem}-table").items()
    yield f"{stem}-table.csv", render_csv(table).encode()
    if not comparison.tasks or not drawn:
        return  # where no run has finished, there is nothing to draw
    yield from _pictures({"curves": draw_curves(comparison), "points": draw_points(comparison, table.convention)}, stem)
    yield from diagnostic_files(comparison, stem)


def _beside(comparison: Comparison, stem: str, table: Table, choices: Choices) -> dict[str, bytes]:
    """Return the pages beside the table of a comparison: `pages_beside`, and each task where they are many."""
    content: dict[str, bytes] = {}
    for name, page in pages_beside(comparison, choices):
        content |= _marked_up(page, f"{stem}-{name}")
    if not (pointing := pointing_frame(comparison)).empty:
        content[f"{stem}-pointing.csv"] = _csv(pointing)
    if is_wide(table.columns):
        content[f"{stem}-tasks.md"] = render_markdown(page_of(table, every_task=True)).encode()
    return content


def _compared(found: EqualLoss, stem: str) -> Iterator[tuple[str, bytes]]:
    yield from _marked_up(found.page, stem).items()
    yield f"{stem}.csv", _csv(found.frame)


def _found(exhibit: StudyExhibit) -> Iterator[tuple[str, bytes]]:
    label = exhibit.page.label
    yield from _marked_up(exhibit.page, label).items()
    yield f"{label}.csv", _csv(exhibit.frame)
    yield from _pictures(exhibit.draw(), label)


def _pictures(figures: Mapping[str, Figure], stem: str) -> Iterator[tuple[str, bytes]]:
    for name, figure in figures.items():
        for kind, data in save(figure).items():
            yield f"{stem}-{name}.{kind}", data


def _exhibited(exhibit: Exhibit, stem: str) -> Iterator[tuple[str, bytes]]:
    for page in exhibit.pages:
        yield from _marked_up(page, page.label).items()
    yield f"{stem}.csv", _csv(exhibit.frame)
    if exhibit.draw:
        for kind, data in save(exhibit.draw()).items():
            yield f"{stem}.{kind}", data


def _marked_up(page: Page, stem: str) -> dict[str, bytes]:
    return {f"{stem}.tex": render_latex(page).encode(), f"{stem}.md": render_markdown(page).encode()}


def _csv(frame: pd.DataFrame) -> bytes:
    return str(frame.to_csv(index=False, lineterminator="\n")).encode()
