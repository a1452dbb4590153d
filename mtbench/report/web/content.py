"""Content of the page of a report: sections of tables, figures, and links to files."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from mtbench.report.exhibit import Shown
from mtbench.report.web.drawing import Drawing
from mtbench.report.web.table import WebTable, web_table

__all__ = ["Figure", "Grid", "Link", "Section", "explained", "sections"]

_LINES = 2000
"""Lines of the numbers of a figure, at most; a CSV file has all."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link to a file beside the page, by a relative address."""

    says: str
    to: str


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The numbers of a figure as texts: heads, lines, and a sentence on lines that are left out."""

    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    left_out: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure: the name of its files, its drawing, and the numbers in it, if they are known."""

    name: str
    drawing: Drawing
    numbers: tuple[Grid, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A piece of a report.

    Attributes:
        id: its id in the page.
        title: its title.
        dataset: the dataset as pages show it; empty for a piece of several or of none.
        protocol: the title of the training protocol; likewise.
        tables: its tables; the first is the main one.
        figures: its figures.
        files: names of further files of numbers.
    """

    id: str
    title: str
    dataset: str
    protocol: str
    tables: tuple[WebTable, ...]
    figures: tuple[Figure, ...]
    files: tuple[str, ...]


def sections(pieces: Sequence[Shown], drawings: Mapping[str, Sequence[Drawing]]) -> Iterator[Section]:
    """Yield the sections of a page.

    Args:
        pieces: the pieces of the report in their order.
        drawings: the drawn pages of each figure by the name of its files.
    """
    for number, piece in enumerate(pieces, start=1):
        name = f"s{number}"
        comparison = piece.beside
        tables = [
            web_table(page, comparison, name=f"{name}t{place}", stem=stem, files=_files(piece, stem))
            for place, (stem, page) in enumerate({**piece.pages, **piece.wide}.items(), start=1)
        ]
        figures = [
            _figure(piece, stem, drawing, page)
            for stem in piece.figures
            for page, drawing in enumerate(drawings.get(stem, ()), start=1)
        ]
        yield Section(
            id=name,
            title=tables[0].page.title if tables else figures[0].drawing.title if figures else "Numbers",
            dataset=comparison.dataset_title if comparison and (tables or figures) else "",
            protocol=comparison.title if comparison and (tables or figures) else "",
            tables=tuple(tables),
            figures=tuple(figures),
            files=(
                *(f"{stem}.csv" for stem in piece.numbers if stem not in piece.pages),
                *(name for name in piece.texts if name.removesuffix(".tex") not in piece.pages),
            ),
        )


def explained(folder: Path) -> tuple[Link, ...]:
    """Return links to the pages of `mtbench explain` in a folder and its folders."""
    found = sorted(folder.glob("*-explain.md")) + sorted(folder.glob("*/*-explain.md"))
    return tuple(
        Link(says=path.name.removesuffix("-explain.md"), to=quote(path.relative_to(folder).as_posix()))
        for path in found
    )


def _files(piece: Shown, stem: str) -> list[str]:
    kinds = [*(("tex", "md") if stem in piece.pages else ("md",)), *(("csv",) if stem in piece.numbers else ())]
    return [f"{stem}.{kind}" for kind in kinds]


def _figure(piece: Shown, stem: str, drawing: Drawing, page: int) -> Figure:
    frames = [piece.drawn[stem]()] if stem in piece.drawn else list(piece.numbers.values())
    file = f"{stem}-{page}" if page > 1 else stem
    return Figure(
        name=file,
        drawing=drawing,
        numbers=tuple(_grid(frame) for frame in frames if len(frame)) if page == 1 else (),
        files=(f"{file}.pdf", f"{file}.png"),
    )


def _grid(frame: pd.DataFrame) -> Grid:
    known = frame.dropna(axis="columns", how="all")
    left = len(known) - _LINES
    return Grid(
        heads=tuple(map(str, known.columns)),
        lines=tuple(tuple(map(_said, line)) for line in known.head(_LINES).itertuples(index=False, name=None)),
        left_out=f"{left} further lines are in the CSV file." if left > 0 else "",
    )


def _said(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
