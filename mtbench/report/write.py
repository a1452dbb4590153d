"""Reports on disk: every table and figure of a set of runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mtbench.report.comparison import Comparison, compare
from mtbench.report.figures import draw_curves, draw_points
from mtbench.report.frame import tidy_frame
from mtbench.report.latex import render_latex
from mtbench.report.layout import page_of
from mtbench.report.markup import render_csv, render_markdown
from mtbench.report.style import save
from mtbench.report.table import build_table
from mtbench.store.atomic import make_folder, write_bytes
from mtbench.store.status import RunStatus

__all__ = ["DEFAULT_REPORTS", "write_report"]

DEFAULT_REPORTS = Path("reports/local")


def write_report(statuses: Sequence[RunStatus], out: Path | None) -> list[Path]:
    """Write tables, figures and the tidy frame of some runs; the same runs make the same bytes.

    Args:
        statuses: the runs, of any datasets and protocols.
        out: the folder for everything, or None for one per dataset below `DEFAULT_REPORTS`.

    Returns:
        The files, in the order in which they were written.

    Raises:
        StoreError: a file cannot be written.
    """
    comparisons = compare(statuses)
    files: list[Path] = []
    for folder in dict.fromkeys(comparison.folder for comparison in comparisons):
        directory = out or DEFAULT_REPORTS / folder
        make_folder(directory)
        here = [comparison for comparison in comparisons if comparison.folder == folder]
        content = {f"{folder}-runs.csv": tidy_frame(here).to_csv(index=False, lineterminator="\n").encode()}
        for comparison in here:
            content |= dict(_files(comparison))
        for name, data in content.items():
            write_bytes(directory / name, data)
            files.append(directory / name)
    return files


def _files(comparison: Comparison) -> Iterator[tuple[str, bytes]]:
    stem = f"{comparison.folder}-{comparison.slug}"
    table = build_table(comparison)
    yield f"{stem}-table.tex", render_latex(page_of(table)).encode()
    yield f"{stem}-table.md", render_markdown(page_of(table)).encode()
    yield f"{stem}-table.csv", render_csv(table).encode()
    if not comparison.tasks:
        return  # no run has finished: there is nothing to draw
    for name, draw in (("curves", draw_curves), ("points", draw_points)):
        for kind, data in save(draw(comparison)).items():
            yield f"{stem}-{name}.{kind}", data
