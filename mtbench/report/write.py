"""Reports on disk: LaTeX, Markdown, CSV, figures, and a page for a browser."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from mtbench.report.exhibit import Shown
from mtbench.report.figure.style import save
from mtbench.report.page.latex import render_latex
from mtbench.report.page.markdown import render_markdown
from mtbench.report.place import PAGE
from mtbench.report.web.document import render_document
from mtbench.report.web.drawing import Drawing, drawing_of
from mtbench.store.files.atomic import make_folder, write_bytes

__all__ = ["csv_text", "write_shown"]


def write_shown(pieces: Sequence[Shown], folder: Path, texts: Mapping[str, str] | None = None) -> list[Path]:
    """Write pieces of a report into a folder, which is made if need be, and the page that shows them.

    Args:
        texts: further files by name, which the page links.

    Returns:
        The files, in the order in which they were written.

    Raises:
        StoreError: a file cannot be written.
    """
    texts, files, drawings = texts or {}, [], dict[str, list[Drawing]]()
    make_folder(folder)
    for piece in pieces:
        for name, data in _files(piece, drawings):
            write_bytes(folder / name, data)
            files.append(folder / name)
    page = render_document(pieces, drawings, folder, tuple(texts))
    for name, text in {**texts, PAGE: page}.items():
        write_bytes(folder / name, text.encode())
        files.append(folder / name)
    return files


def csv_text(frame: pd.DataFrame) -> str:
    """Return a table of numbers as CSV."""
    return str(frame.to_csv(index=False, lineterminator="\n"))


def _files(piece: Shown, drawings: dict[str, list[Drawing]]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file, and add the drawings of its figures for the page."""
    for stem, page in piece.pages.items():
        yield f"{stem}.tex", render_latex(page).encode()
        yield f"{stem}.md", render_markdown(page).encode()
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
