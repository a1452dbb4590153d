"""Reports on disk: LaTeX, Markdown, CSV, figures, and a page for a browser."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from mtbench.report.exhibit import Results, Shown
from mtbench.report.figure.style import save
from mtbench.report.page.latex import render_latex
from mtbench.report.page.markdown import render_markdown
from mtbench.report.paper.references import references_of
from mtbench.report.prose.numbers import file_name, numbers_tex
from mtbench.report.web.drawing import Drawing, drawing_of
from mtbench.store.files.atomic import make_folder, write_bytes

__all__ = ["csv_text", "number_files", "shown_files", "write_shown"]


def write_shown(pieces: Iterable[Shown], folder: Path) -> list[Path]:
    """Write pieces of a report into a folder, which is made if need be, and return the files.

    Raises:
        StoreError: a file cannot be written.
    """
    files = list[Path]()
    make_folder(folder)
    for name, data in shown_files(pieces, {}):
        write_bytes(folder / name, data)
        files.append(folder / name)
    return files


def shown_files(pieces: Iterable[Shown], drawings: dict[str, list[Drawing]]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file of pieces of a report.

    Args:
        pieces: the pieces in their order.
        drawings: filled with the drawn pages of each figure by the name of its files.
    """
    for piece in pieces:
        yield from _files(piece, drawings)


def number_files(results: Results, pieces: Iterable[Shown]) -> dict[str, bytes]:
    """Return the files with the numbers of the tables for sentences, by name; none where no run has finished.

    In the style of papers there is a file of references too.

    Args:
        results: all that the report is made of.
        pieces: the pieces of the report in one folder.
    """
    there = {id(piece.beside) for piece in pieces}
    comparisons = [each for each in results.comparisons if id(each) in there and each.tasks]
    if not comparisons:
        return {}
    files = {file_name(results, "numbers.tex"): numbers_tex(results, comparisons)}
    if results.choices.paper:
        methods = [method for comparison in comparisons for method in comparison.methods]
        files[file_name(results, "references.bib")] = references_of(methods).bibtex
    return {name: text.encode() for name, text in files.items()}


def csv_text(frame: pd.DataFrame) -> str:
    """Return a table of numbers as CSV."""
    return str(frame.to_csv(index=False, lineterminator="\n"))


def _files(piece: Shown, drawings: dict[str, list[Drawing]]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file, and add the drawings of its figures for the page."""
    for stem, page in piece.pages.items():
        if f"{stem}.tex" not in piece.texts:
            yield f"{stem}.tex", render_latex(page).encode()
        yield f"{stem}.md", render_markdown(page).encode()
    for name, text in piece.texts.items():
        yield name, text.encode()
    for stem, page in piece.wide.items():
        yield f"{stem}.md", render_markdown(page).encode()
    for stem, frame in piece.numbers.items():
        yield f"{stem}.csv", csv_text(frame).encode()
    for stem, draw in piece.figures.items():
        drawn = draw()
        pages = drawings.setdefault(stem, [])
        for number, figure in enumerate([drawn] if isinstance(drawn, Figure) else drawn, start=1):
            for kind, data in save(figure).items():
                yield f"{stem}-{number}.{kind}" if number > 1 else f"{stem}.{kind}", data
            pages.append(drawing_of(figure, f"f{len(drawings)}p{number}"))
