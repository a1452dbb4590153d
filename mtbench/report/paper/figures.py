"""Figures of a paper, whose captions say what titles would."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from matplotlib.figure import Figure

from mtbench.report.exhibit import Draw, Shown
from mtbench.report.page.sentences import QUICK

__all__ = ["without_titles"]


def without_titles(piece: Shown) -> Shown:
    """Return a piece whose figures have no titles; of a preview they say that it is one."""
    return replace(piece, figures={stem: partial(_drawn, draw) for stem, draw in piece.figures.items()})


def _drawn(draw: Draw) -> Figure | Sequence[Figure]:
    drawn = draw()
    return _bare(drawn) if isinstance(drawn, Figure) else [_bare(figure) for figure in drawn]


def _bare(figure: Figure) -> Figure:
    if title := figure.get_suptitle():
        figure.suptitle(QUICK if title.endswith(QUICK) else "", fontsize=8)
    return figure
