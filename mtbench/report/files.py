"""Files of a report: the content of each by its name."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from mtbench.report.data.choices import Choices
from mtbench.report.data.columns import is_wide
from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.beside import pages_beside
from mtbench.report.exhibits.diagnostics.data import diagnostic_files
from mtbench.report.exhibits.equal_loss.page import EqualLoss
from mtbench.report.exhibits.pointing.page import pointing_frame
from mtbench.report.exhibits.searches import StudyExhibit
from mtbench.report.exhibits.summary.data import Table
from mtbench.report.exhibits.summary.figure import draw_curves, draw_points
from mtbench.report.exhibits.summary.numbers import render_csv
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.figure.style import save
from mtbench.report.page.latex import render_latex
from mtbench.report.page.layout import Page
from mtbench.report.page.markdown import render_markdown
from mtbench.store.atomic import make_folder, write_bytes

__all__ = [
    "beside_files",
    "comparison_files",
    "csv_bytes",
    "equal_loss_files",
    "marked_up",
    "picture_files",
    "study_files",
    "write_files",
]


def write_files(content: Mapping[str, bytes], directory: Path) -> list[Path]:
    """Write files into a folder, which is made if need be, and return their paths."""
    make_folder(directory)
    for name, data in content.items():
        write_bytes(directory / name, data)
    return [directory / name for name in content]


def comparison_files(
    comparison: Comparison, stem: str, table: Table, page: Page, *, drawn: bool = True
) -> Iterator[tuple[str, bytes]]:
    """Yield the table of a comparison, and unless `drawn` is false its curves, points and diagnostics."""
    yield from marked_up(page, f"{stem}-table").items()
    yield f"{stem}-table.csv", render_csv(table).encode()
    if not comparison.tasks or not drawn:
        return  # where no run has finished, there is nothing to draw
    yield from picture_files(
        {"curves": draw_curves(comparison), "points": draw_points(comparison, table.convention)}, stem
    )
    yield from diagnostic_files(comparison, stem)


def beside_files(comparison: Comparison, stem: str, table: Table, choices: Choices) -> dict[str, bytes]:
    """Return the pages beside the table of a comparison: `pages_beside`, and each task where they are many."""
    content: dict[str, bytes] = {}
    for name, page in pages_beside(comparison, choices):
        content |= marked_up(page, f"{stem}-{name}")
    if not (pointing := pointing_frame(comparison)).empty:
        content[f"{stem}-pointing.csv"] = csv_bytes(pointing)
    if is_wide(table.columns):
        content[f"{stem}-tasks.md"] = render_markdown(page_of(table, every_task=True)).encode()
    return content


def equal_loss_files(found: EqualLoss, stem: str) -> Iterator[tuple[str, bytes]]:
    """Yield the page of a comparison at equal loss, and its numbers."""
    yield from marked_up(found.page, stem).items()
    yield f"{stem}.csv", csv_bytes(found.frame)


def study_files(exhibit: StudyExhibit) -> Iterator[tuple[str, bytes]]:
    """Yield the page, the numbers and the figures of what a search found."""
    label = exhibit.page.label
    yield from marked_up(exhibit.page, label).items()
    yield f"{label}.csv", csv_bytes(exhibit.frame)
    yield from picture_files(exhibit.draw(), label)


def picture_files(figures: Mapping[str, Figure], stem: str) -> Iterator[tuple[str, bytes]]:
    """Yield figures by name, as PDF and PNG."""
    for name, figure in figures.items():
        for kind, data in save(figure).items():
            yield f"{stem}-{name}.{kind}", data


def marked_up(page: Page, stem: str) -> dict[str, bytes]:
    """Return a page in LaTeX and in Markdown."""
    return {f"{stem}.tex": render_latex(page).encode(), f"{stem}.md": render_markdown(page).encode()}


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return a table of numbers as CSV."""
    return str(frame.to_csv(index=False, lineterminator="\n")).encode()
