"""Matrices of tasks by tasks, a row or half a row of them for each method: of conflict, and of selectivity."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.diagnostics.compliance import left_out
from mtbench.report.figure.style import WIDTH, new_figure, paper_style
from mtbench.report.page.sentences import title_of
from mtbench.report.page.words import DASH, written
from mtbench.report.text import fixed
from mtbench.stats.summary import summarize

__all__ = ["draw_conflict", "draw_selectivity"]

_NUMBERED = 9
"""Tasks up to which cells bear their numbers."""
_NAMED = 12
"""The largest number of tasks that are named beside a matrix; of more every second is, or every third."""
_TALL = 8.6
"""Inches: the height of a page at most."""
_LINE = 0.12
"""Inches per line of small type."""
_ROOM = 30
"""Letters of task names that stand side by side below a matrix."""
_MISSING = "#DDDDDD"
_DEPTHS = {"representation": "representation", "hidden": "last hidden layer"}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One matrix and how it is shown.

    Attributes:
        values: (rows, T); a row more than T is what chance gives.
        title: above it; the axes are named by `down` and `across`.
        colors: the name of a color map, between `low` and `high`.
        decimals: number of decimals in the cells.
        framed: True if the diagonal is another quantity than the rest.
    """

    values: NDArray[np.float64]
    title: str
    down: str
    across: str
    colors: str
    low: float
    high: float
    decimals: int
    framed: bool = False


def draw_conflict(comparison: Comparison, frame: pd.DataFrame) -> Iterator[Figure]:
    """Per method the update compliance ratio and the mean cosine of each pair of tasks at the last point of the curve,
    means over seeds; the null is on the diagonal.

    Args:
        frame: the frame from `conflict_frame`, not empty.
    """
    names = [task.name for task in comparison.tasks]
    last = frame[frame["epoch"] == frame.groupby("method")["epoch"].transform("max")]
    reach = max(0.01, float(last["cosine"].abs().max()))
    rows: dict[str, list[Panel | None]] = {}
    for method, own in last.groupby("method", sort=False):
        both = pd.concat([own, own.rename(columns={"task": "other", "other": "task"})])
        shown = {"down": "", "across": "", "colors": "RdBu", "framed": True}
        ucr, cosine = (_matrix(both, "task", "other", of, names) for of in ("ucr", "cosine"))
        loss, epoch, seeds = own["training_loss"].mean(), own["epoch"].iloc[0], own["seed"].nunique()
        rows[f"{method}\ntraining loss {loss:.3g} in epoch {epoch}, {_seeds(seeds)}"] = [
            Panel(values=ucr, title="UCR (%)", low=0, high=100, decimals=0, **shown),  # type: ignore[arg-type]
            Panel(values=cosine, title="mean cosine", low=-reach, high=reach, decimals=2, **shown),  # type: ignore[arg-type]
        ]
    explained = (
        "Gradients of two tasks' losses on the same mini-batches of the epoch, in the parameters that they share "
        "(a head for all tasks among them).\nUCR: of how many batches their inner product is positive. Framed: the "
        "null, the same task on the two halves of each batch.\nCompare at equal training loss."
    )
    why = "whose tasks share no parameter that is trained"
    note = left_out(comparison, "conflict", set(frame["method"]), why)
    yield from _pages(comparison, rows, explained, note, abreast=2 if len(names) <= 4 else 1)


def draw_selectivity(comparison: Comparison, frame: pd.DataFrame) -> Iterator[Figure]:
    """Per method what probes find at both depths, and the accuracy of the network's own answers, means over seeds.

    Args:
        frame: the frame from `selectivity_frame`, not empty.
    """
    names = [task.name for task in comparison.tasks]
    rows: dict[str, list[Panel | None]] = {}
    for method, own in frame.groupby("method", sort=False):
        panels: list[Panel | None] = []
        for depth, title in _DEPTHS.items():
            here = own[own["depth"] == depth]
            if here.empty and depth in set(frame["depth"]):
                panels.append(None)
            if here.empty:
                continue
            found = here[(here["quantity"] == "probe accuracy") & (here["probe"] == "mlp")]
            scores = f"S {_spread(here, 'mlp')}; linear probes {_spread(here, 'linear')}"
            panels.append(_accuracies(found, names, f"probes of the {title}", "others", scores))
        answers = own[own["quantity"] == "wrong cue"]
        panels.append(_accuracies(answers, names, "the network's own answers", "wrong cue", ""))
        rows[f"{method}\n{_seeds(own['seed'].nunique())}"] = panels
    explained = (
        "Accuracy in % on test images, by the task that the network is asked for and that of the labels: of fresh "
        "probes trained on its frozen features\n(with a hidden layer, as the matrices show, or linear), and of its own "
        "answers. Lowest row: what always saying the most frequent class gives.\nS, a definition of this project: 1 - "
        "the mean, over other tasks, of what probes find of them above chance relative to their own features.\n"
        "S is 1 where nothing of other tasks can be found in the features for one, 0 where as much as in their own."
    )
    why = "whose answers come from no linear layer, or whose tasks are no classifications"
    note = left_out(comparison, "selectivity", set(frame["method"]), why)
    yield from _pages(comparison, rows, explained, note, abreast=1)


def _accuracies(frame: pd.DataFrame, names: list[str], title: str, rest: str, more: str) -> Panel:
    """Return a panel of one kind of accuracy; its title has the means of the diagonal and of the `rest`, and `more`."""
    values = _matrix(frame, "asked", "labels", "value", names)
    chance = frame.groupby("labels")["chance"].mean().reindex(names).to_numpy(dtype=float)
    return Panel(
        values=np.vstack([values, chance]),
        title=f"{title}\n{_means(values, rest)}\n{more}".strip(),
        down="asked for",
        across="labels of",
        colors="Blues",
        low=0,
        high=100,
        decimals=0,
    )


def _means(values: NDArray[np.float64], rest: str) -> str:
    own = np.eye(len(values), dtype=bool)
    right, wrong = (pd.Series(values[part]).mean() for part in (own, ~own))
    return f"asked for {right:.1f} %, {rest} {wrong:.1f} %" if len(values) > 1 else f"asked for {right:.1f} %"


def _matrix(frame: pd.DataFrame, down: str, across: str, value: str, names: list[str]) -> NDArray[np.float64]:
    """(T, T) means over seeds of a column, in the order of the tasks."""
    means = frame.groupby([down, across])[value].mean().unstack()
    return means.reindex(index=names, columns=names).to_numpy(dtype=float)


def _spread(frame: pd.DataFrame, probe: str) -> str:
    """Return the selectivity by one kind of probe, with its standard deviation over seeds."""
    found = frame[(frame["quantity"] == "selectivity") & (frame["probe"] == probe)]["value"].dropna()
    return written(summarize(found))


def _seeds(count: int) -> str:
    return f"{count} seed{'s' * (count > 1)}"


def _pages(
    comparison: Comparison, rows: dict[str, list[Panel | None]], explained: str, note: str, *, abreast: int
) -> Iterator[Figure]:
    """Yield the matrices of as many methods as fit on a page, page by page; each method's stand side by side.

    Args:
        rows: the rows by the text above them.
        abreast: number of methods side by side.
    """
    names = [task.name for task in comparison.tasks]
    panels = max(map(len, rows.values()))
    down = max(len(panel.values) for of_method in rows.values() for panel in of_method if panel)
    wide = WIDTH / (abreast * panels)
    tall = min(wide - 0.4, 0.32 * down) + 1.0
    text = f"{explained}\n{note}".strip()
    below = 0.25 + _LINE * (text.count("\n") + 1)
    each = max(1, int((_TALL - below - 0.3) / tall)) * abreast
    entries = list(rows.items())
    for start in range(0, len(entries), each):
        page = entries[start : start + each]
        lines = math.ceil(len(page) / abreast)
        with paper_style():
            figure = new_figure(0.3 + below + lines * tall)
            figure.suptitle(title_of(comparison))
            figure.supxlabel(text, fontsize=6.5, color="#555555")
            places = np.asarray(figure.subfigures(lines, abreast, squeeze=False)).flat
            for place, (title, of_method) in zip(places, page, strict=False):
                _draw_row(place, title, of_method, names)
        yield figure


def _draw_row(figure: SubFigure, title: str, panels: Sequence[Panel | None], names: list[str]) -> None:
    """One method's matrices; None is said to have no layer."""
    figure.suptitle(title, fontsize=7, fontweight="bold")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False).flat, panels, strict=True):
        if panel:
            _draw_matrix(axes, panel, names)
        else:
            axes.axis("off")
            axes.text(0.5, 0.5, "its head is one layer:\nnone is hidden", ha="center", va="center", fontsize=7)


def _draw_matrix(axes: Axes, panel: Panel, names: list[str]) -> None:
    colors, norm = colormaps[panel.colors].with_extremes(bad=_MISSING), Normalize(panel.low, panel.high)
    tasks = len(names)
    step = math.ceil(tasks / _NAMED)
    size = max(4.5, min(7.0, 52 / math.ceil(tasks / step)))
    gaps = 0.8 if tasks <= _NUMBERED else 0.0
    values = np.ma.masked_invalid(panel.values)
    cells = axes.pcolormesh(values, cmap=colors, norm=norm, edgecolors="white" if gaps else "none", linewidth=gaps)
    if tasks <= _NUMBERED:
        for (i, j), value in np.ndenumerate(panel.values):
            dark = math.isfinite(value) and _luminance(colors(norm(value))) < 0.5
            shown = fixed(value, panel.decimals) if math.isfinite(value) else DASH
            ink = "white" if dark else "black"
            axes.text(j + 0.5, i + 0.5, shown, ha="center", va="center", fontsize=size, color=ink)
    else:
        axes.figure.colorbar(cells, ax=axes, shrink=0.8)
    for i in range(tasks if panel.framed else 0):
        axes.add_patch(Rectangle((i, i), 1, 1, fill=False, edgecolor="black", linewidth=0.8))
    shown_names = list(names)[::step]
    upright = max(map(len, names)) > _ROOM / tasks
    middles = [i + 0.5 for i in range(0, tasks, step)]
    axes.set_xticks(middles, shown_names, rotation=90 if upright else 0, fontsize=size)
    chance = [tasks + 0.5] if len(panel.values) > tasks else []
    axes.set_yticks(middles + chance, [*shown_names, *["chance"] * len(chance)], fontsize=size)
    if chance:
        axes.axhline(tasks, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(panel.title, fontsize=7)
    axes.set_xlabel(panel.across, fontsize=7)
    axes.set_ylabel(panel.down, fontsize=7)


def _luminance(color: Sequence[float]) -> float:
    """Return the luminance of red, green and blue in [0, 1], as the eye weighs them (ITU-R BT.601)."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
