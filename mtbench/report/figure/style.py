"""Looks of figures: a paper's sizes, colors that color-blind readers tell apart, reproducible bytes."""

import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

__all__ = ["COLUMN_WIDTH", "WIDTH", "Look", "drawn_with", "looks", "looks_of", "new_figure", "paper_style", "save"]

WIDTH = 6.9
"""Inches: the text width of a two-column paper."""
COLUMN_WIDTH = 3.25
"""Inches: the width of one of its columns."""

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
"""Okabe and Ito (2008), with grey for their yellow, which is lost on white paper."""
_DASHES = ((), (4.0, 1.5), (1.0, 1.0), (5.0, 1.0, 1.0, 1.0), (7.0, 2.0), (3.0, 1.0, 1.0, 1.0, 1.0, 1.0))
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">", "p", "h")


@dataclass(frozen=True, kw_only=True)
class Look:
    """The look of one method in a figure.

    Attributes:
        color: the color as ``#RRGGBB``.
        dashes: lengths of dash and gap in line widths; empty for a whole line.
        marker: the marker if a line has a single point.
    """

    color: str
    dashes: tuple[float, ...]
    marker: str


def looks(count: int) -> list[Look]:
    """Return as many looks as there are methods: among the first 48 no two have both color and dashes in common, and
    among the first 88 no two both color and marker."""
    colors = len(_COLOURS)
    return [
        Look(
            color=_COLOURS[index % colors],
            dashes=_DASHES[index // colors % len(_DASHES)],
            marker=_MARKERS[index % len(_MARKERS)],
        )
        for index in range(count)
    ]


def looks_of(titles: Iterable[str], known: Mapping[str, Look] = MappingProxyType({})) -> dict[str, Look]:
    """Return the looks of methods by title: known ones as they are, for the others the next ones that are free."""
    names = list(dict.fromkeys(titles))
    lacking = [name for name in names if name not in known]
    free = (look for look in looks(len(known) + len(lacking)) if look not in known.values())
    found = {**known, **dict(zip(lacking, free, strict=False))}
    return {name: found[name] for name in names}


@contextmanager
def paper_style() -> Iterator[None]:
    """Small type, thin axes, and names shown as they are, dollar signs included."""
    settings: Any = {
        "font.family": "DejaVu Sans",
        "font.size": 8,
        "axes.titlesize": 8,
        "axes.labelsize": 8,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.formatter.useoffset": False,
        "grid.color": "#E4E4E4",
        "grid.linewidth": 0.5,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "legend.frameon": False,
        "figure.titlesize": 9,
        "text.parse_math": False,
        "pdf.fonttype": 42,
        "savefig.dpi": 200,
    }
    with matplotlib.rc_context(dict(matplotlib.rcParamsDefault) | {"backend": "agg"} | settings):
        yield


def save(figure: Figure) -> dict[str, bytes]:
    """Return a figure as ``pdf`` and ``png``, without dates and versions."""
    files = {}
    _part_letters(figure)
    with paper_style():
        for kind, metadata in (
            ("pdf", {"CreationDate": None, "Producer": None, "Creator": None}),
            ("png", {"Software": None}),
        ):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, metadata=metadata)
            files[kind] = buffer.getvalue()
    return files


def drawn_with() -> str:
    """Return the versions on which the bytes of a figure depend, besides the code of this package."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("matplotlib", "fonttools", "pillow"))
    return f"{packages}, zlib {zlib.ZLIB_RUNTIME_VERSION}"


def _part_letters(figure: Figure) -> None:
    """Have matplotlib 3.11 draw the letters of "fi" and "ff", where it would draw one glyph (in text of one line alone:
    it leaves no choice in others). Such a glyph has no code below 256, and for it every file is given a second subset
    of the font, which is cut in 0.05 s; nor is a word with it found in a PDF."""
    for axes in figure.axes:
        axes.get_xticklabels(), axes.get_yticklabels()  # makes those that else are made when they are drawn
    for text in figure.findobj(Text):
        if hasattr(text, "set_fontfeatures"):
            text.set_fontfeatures(["-liga"])


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of a paper's width, known to no window system, so that there is nothing to close."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
