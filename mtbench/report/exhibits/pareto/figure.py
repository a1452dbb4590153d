"""Tasks against each other as a scatter, after Figure 4a of Levi and Ullman (2020): what was searched, and methods."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mtbench.report.exhibits.pareto.data import Point, Rival, TradeOff, mean
from mtbench.report.figure.intervals import FEW, interval_of
from mtbench.report.figure.labels import Named, label_points
from mtbench.report.figure.legend import Legend, legend_of
from mtbench.report.figure.style import Look, looks_of, new_figure, paper_style
from mtbench.report.page.sentences import title_of
from mtbench.stats.pareto import front
from mtbench.stats.summary import summarize
from mtbench.store.record import TaskInfo

__all__ = ["draw_scatter", "draw_validation"]

_PANELS = 6
"""Pairs of tasks on a page."""
_NAMED = 14
"""Methods whose names have room in a panel of a page's width; more are numbered there, and named below."""
_NAMED_SMALL = 6
"""Likewise in one of half that width."""
_FENCE = 3.0
"""Interquartile ranges beyond the quartiles at which a method is far out (Tukey, Exploratory data analysis, 1977)."""
_FRONT, _POINT, _STAR = "#000000", "#9A9A9A", "#555555"
_DEFAULT_MARK: dict[str, Any] = {"marker": "D", "markersize": 8, "mfc": "none", "color": _FRONT, "mew": 0.8}


def draw_scatter(trade: TradeOff, known: Mapping[str, Look] = MappingProxyType({})) -> list[Figure]:
    """Return a panel per pair of tasks on the test split, on as many pages as it takes; none for a single task.

    The points of the validation split's front are black. Those that none of them dominates on the test split are
    filled, and where there are two tasks joined; all other points are hollow. Methods are stars with their names,
    filled on the network of the points, and single-task networks are lines. Crosses are 95 % confidence intervals of
    the mean over seeds.

    Args:
        known: looks that methods have in other figures, by title.
    """
    look = looks_of((rival.title for rival in trade.rivals), known)
    pairs = list(combinations(range(len(trade.tasks)), 2))
    return [_page(trade, pairs[at : at + _PANELS], look, tested=True) for at in range(0, len(pairs), _PANELS)]


def draw_validation(trade: TradeOff) -> list[Figure]:
    """Likewise on the validation split: every trial, and the front that was chosen there."""
    pairs = list(combinations(range(len(trade.tasks)), 2))
    if not trade.points:
        return []
    return [_page(trade, pairs[at : at + _PANELS], {}, tested=False) for at in range(0, len(pairs), _PANELS)]


def _page(trade: TradeOff, pairs: Sequence[tuple[int, int]], look: Mapping[str, Look], *, tested: bool) -> Figure:
    down, across = (1, 1) if len(pairs) == 1 else (math.ceil(len(pairs) / 2), 2)
    stars = [rival for rival in trade.rivals if not rival.single] if tested else []
    numbered = len(stars) > (_NAMED if across == 1 else _NAMED_SMALL)
    names = [str(number) if numbered else rival.title for number, rival in enumerate(stars, start=1)]
    entries = list(_entries(trade, look, tested=tested))
    key = [f"{number} {rival.title}" for number, rival in enumerate(stars, start=1)] if numbered else []
    explained = "\n".join([_explained(trade, tested=tested), *_key(key)])
    with paper_style():
        legend: Legend = legend_of([name for _, name in entries], explained)
        figure = new_figure((4.2 if across == 1 else 2.75 * down) + 0.3 + legend.height)
        figure.suptitle(_title(trade))
        panels = list(figure.subplots(down, across, squeeze=False).flat)
        for axes in panels[len(pairs) :]:
            axes.set_visible(False)
        for axes, pair in zip(panels, pairs, strict=False):
            _panel(axes, trade, pair, look, tested=tested)
        legend.draw(figure, [handle for handle, _ in entries])
        if tested:
            shown = zip(panels, pairs, strict=False)
            label_points(figure, [(axes, _named(axes, trade, stars, names, pair, numbered)) for axes, pair in shown])
    return figure


def _panel(axes: Axes, trade: TradeOff, pair: tuple[int, int], look: Mapping[str, Look], *, tested: bool) -> None:
    points = [(point, _at(point, pair, tested=tested)) for point in trade.points]
    points = [(point, at) for point, at in points if np.isfinite(at).all()]
    rivals = [rival for rival in trade.rivals if tested and np.isfinite(_pair(rival, pair)).all()]
    for axis, task in enumerate(pair):
        values = [at[axis] for _, at in points]
        shown = [*(point.tested for point, _ in points if tested), *(rival.tested for rival in rivals)]
        intervals = [end for each in shown for end in _interval(trade, each, task) or ()]
        low, high = _limits(values, [_pair(rival, pair)[axis] for rival in rivals], intervals)
        ends = (low, high) if trade.tasks[task].higher_is_better else (high, low)  # top right is better
        (axes.set_xlim, axes.set_ylim)[axis](*ends)
        (axes.set_xlabel, axes.set_ylabel)[axis](_axis_label(trade.tasks[task], tested=tested))
    for rival in rivals:
        if rival.single:
            _single_lines(axes, trade, rival, pair, look[rival.title].color)
    _draw_points(axes, trade, points, pair, tested=tested)
    for rival in rivals:
        if not rival.single:
            color = look[rival.title].color
            at = _inside(axes, _pair(rival, pair))
            far = not np.array_equal(at, _pair(rival, pair))
            if not far:
                _cross(axes, trade, rival.tested, pair, color, 0.7)
            face = color if rival.kin else "white"
            shape = (5, 1, 0) if not far else (3, 0, _turn(axes, _pair(rival, pair)))
            axes.plot(*at, marker=shape, markersize=8 if not far else 6, color=color, mfc=face, mew=0.8, zorder=5)


def _draw_points(
    axes: Axes,
    trade: TradeOff,
    points: Sequence[tuple[Point, NDArray[np.float64]]],
    pair: tuple[int, int],
    *,
    tested: bool,
) -> None:
    """Draw the points: filled those that no other one shown here dominates, hollow the rest; of two tasks the filled
    ones are joined."""
    filled = _best(trade, [point for point, _ in points], tested=tested)
    for (point, at), is_best in zip(points, filled, strict=True):
        color = _FRONT if point.front else _POINT
        if tested:
            _cross(axes, trade, point.tested, pair, color, 0.4)
        face = color if is_best else "white"
        size = 3.2 if is_best else 3.0
        axes.plot(*at, marker="o", markersize=size, color=color, mfc=face, mew=0.0 if is_best else 0.7, zorder=4)
        if point.number == 0:  # open, so that it is seen around a star in the same place
            axes.plot(*at, **_DEFAULT_MARK, zorder=5.5)
    best = [tuple(at) for (_, at), is_best in zip(points, filled, strict=True) if is_best]
    joined = sorted(best, key=lambda at: float(at[0]))
    if len(trade.tasks) == 2 and len(joined) > 1:
        # What is no better than a point lies to its left where higher is better, else to its right.
        where = "steps-pre" if trade.tasks[pair[0]].higher_is_better else "steps-post"
        axes.plot(*zip(*joined, strict=True), drawstyle=where, color=_FRONT, linewidth=0.8, zorder=3)


def _best(trade: TradeOff, points: Sequence[Point], *, tested: bool) -> list[bool]:
    """Return which points no other one dominates: on the test split among those of the validation split's front, which
    is chosen there and not again."""
    if not tested or not points:
        return [point.front for point in points]
    nothing = np.full(len(trade.tasks), np.nan)
    means = [mean(point.tested) if point.front else nothing for point in points]
    best: list[bool] = front(means, maximize=trade.higher).tolist()
    return best


def _single_lines(axes: Axes, trade: TradeOff, rival: Rival, pair: tuple[int, int], color: str) -> None:
    for axis, task in enumerate(pair):
        summary = summarize(rival.tested[:, task])
        line, band = ((axes.axvline, axes.axvspan), (axes.axhline, axes.axhspan))[axis]
        line(summary.mean, color=color, linewidth=0.8, dashes=(5, 2), zorder=1.5)
        if interval := _interval(trade, rival.tested, task):
            band(*interval, color=color, alpha=0.13, linewidth=0, zorder=1)


def _cross(
    axes: Axes, trade: TradeOff, tested: NDArray[np.float64], pair: tuple[int, int], color: str, width: float
) -> None:
    """Draw the 95 % confidence intervals of both means."""
    across, up = (_interval(trade, tested, task) for task in pair)
    if across is None or up is None:
        return
    x, y = mean(tested)[list(pair)]
    style: dict[str, Any] = {"color": color, "linewidth": width, "alpha": 0.6, "zorder": 2.5}
    axes.plot(across, [y, y], **style)
    axes.plot([x, x], up, **style)


def _interval(trade: TradeOff, tested: NDArray[np.float64], task: int) -> tuple[float, float] | None:
    """Return the confidence interval of the mean of a task; None of too few seeds."""
    return interval_of(summarize(tested[:, task]), trade.tasks[task].unit)


def _named(
    axes: Axes, trade: TradeOff, stars: Sequence[Rival], names: Sequence[str], pair: tuple[int, int], numbered: bool
) -> list[Named]:
    """Return the stars with their names; and without names what is not to be written on: points, and where stars are
    not so many that they have numbers, the arms of crosses."""
    named = []
    for rival, name in zip(stars, names, strict=True):
        true = _pair(rival, pair)
        if np.isfinite(true).all():
            at = _inside(axes, true)
            far = not np.array_equal(at, true)
            named.append(_spot(at, f"{name} ({true[0]:.4g}, {true[1]:.4g})" if far else name))
    points = [point.tested for point in trade.points if point.known]
    crosses = [*points, *(rival.tested for rival in stars)]
    spots = [] if numbered else [spot for tested in crosses for spot in _arms(trade, tested, pair)]
    spots += [mean(tested)[list(pair)] for tested in points]
    return named + [_spot(spot, "") for spot in spots if np.array_equal(spot, _inside(axes, spot))]


def _arms(trade: TradeOff, tested: NDArray[np.float64], pair: tuple[int, int]) -> Iterator[NDArray[np.float64]]:
    """Places along the cross of a mean."""
    middle = mean(tested)[list(pair)]
    intervals = [_interval(trade, tested, task) for task in pair]
    for axis, interval in enumerate(intervals):
        if None not in intervals and interval is not None:
            for place in np.linspace(*interval, 9):
                yield np.array([place, middle[1]] if axis == 0 else [middle[0], place])


def _spot(at: NDArray[np.float64], name: str) -> Named:
    x, y = map(float, at)
    return Named(name=name, x=x, y=y, low=y, high=y)


def _entries(trade: TradeOff, look: Mapping[str, Look], *, tested: bool) -> Iterator[tuple[Line2D, str]]:
    shown = [point for point in trade.points if point.known or not tested]
    network = trade.study.study.network if trade.study else ""

    def mark(marker: Any, color: str, size: float, **style: Any) -> Line2D:
        return Line2D([], [], color=color, marker=marker, markersize=size, **{"linewidth": 0, **style})

    filled = _best(trade, shown, tested=tested)
    if any(filled):
        line = 0.8 if len(trade.tasks) == 2 else 0.0
        yield mark("o", _FRONT, 3.2, linewidth=line), "the validation split's front"
    if any(point.front and not best for point, best in zip(shown, filled, strict=True)):
        yield mark("o", _FRONT, 3.0, mfc="white", mew=0.7), "of that front, dominated here"
    if any(not point.front and point.number for point in shown):
        yield mark("o", _POINT, 3.0, mfc="white", mew=0.7), "others that were tried"
    if any(point.number == 0 for point in shown):
        yield Line2D([], [], linewidth=0, **_DEFAULT_MARK), "the default"
    if not tested:
        return
    if any(rival.kin and not rival.single for rival in trade.rivals):
        yield mark((5, 1, 0), _STAR, 8), f"other methods on {network}"
    if any(not rival.kin and not rival.single for rival in trade.rivals):
        yield mark((5, 1, 0), _STAR, 8, mfc="white", mew=0.8), "other networks" if trade.study else "methods"
    for rival in trade.rivals:
        if rival.single:
            yield Line2D([], [], color=look[rival.title].color, linewidth=0.8, dashes=(5, 2)), rival.title


def _explained(trade: TradeOff, *, tested: bool) -> str:
    if not tested:
        return "Means over tuning seeds. Fronts and settings are chosen on this split."
    tested_ones = [*(point.tested for point in trade.points), *(rival.tested for rival in trade.rivals)]
    counts = [int(np.isfinite(values).all(axis=1).sum()) for values in tested_ones]
    known = [count for count in counts if count]
    lines = ["Means over seeds."]
    if any(count >= FEW for count in known):
        lines.append("Crosses and bands: 95 % confidence intervals.")
    if any(count < FEW for count in known):
        lines.append("Fewer than three seeds: no interval.")
    return " ".join(lines)


def _title(trade: TradeOff) -> str:
    if (found := trade.study) is None:
        return title_of(trade.comparison)
    done = found.study.finished
    planned = f" of {found.study.planned}" * (done < found.study.planned)
    trials = f"{done}{planned} trial{'s' * (done != 1 or bool(planned))}"
    return title_of(trade.comparison, f"{trials} of {found.title}")


def _axis_label(task: TaskInfo, *, tested: bool) -> str:
    unit = f" ({task.unit})" if task.unit else ""
    better = "" if task.higher_is_better else ", lower is better"
    return f"{task.name}: {'test' if tested else 'validation'} {task.metric}{unit}{better}"


def _key(names: Sequence[str]) -> list[str]:
    """Numbered names, in lines of a page's width."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) < 115:
            lines[-1] += f"   {name}"
        else:
            lines.append(name)
    return lines


def _at(point: Point, pair: tuple[int, int], *, tested: bool) -> NDArray[np.float64]:
    values = mean(point.tested) if tested else point.tried
    return np.array([values[task] for task in pair])


def _pair(rival: Rival, pair: tuple[int, int]) -> NDArray[np.float64]:
    return mean(rival.tested)[list(pair)]


def _limits(points: Sequence[float], rivals: Sequence[float], intervals: Sequence[float]) -> tuple[float, float]:
    """Return all points, the methods that are not far out, and of intervals what goes no further beyond than a quarter
    of their spread."""
    values = [*points, *rivals]
    if not values:
        return 0.0, 1.0
    low, high = np.quantile(values, [0.25, 0.75])
    reach = _FENCE * (high - low)
    near = [*points, *(value for value in rivals if low - reach <= value <= high + reach)]
    least, most = min(near), max(near)
    spread = (most - least) or 0.04 * abs(most) or 4.0
    low = max(min([least, *intervals]), least - 0.25 * spread) - 0.08 * spread
    high = min(max([most, *intervals]), most + 0.25 * spread) + 0.08 * spread
    return float(low), float(high)


def _inside(axes: Axes, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nearest place within the panel."""
    ends = np.sort([axes.get_xlim(), axes.get_ylim()], axis=1)
    spare = 0.025 * (ends[:, 1] - ends[:, 0])
    beyond = (at < ends[:, 0]) | (at > ends[:, 1])
    return np.where(beyond, np.clip(at, ends[:, 0] + spare, ends[:, 1] - spare), at)


def _turn(axes: Axes, at: NDArray[np.float64]) -> float:
    """Return the angle, in degrees, by which a triangle that points up points to what is far out."""
    way = axes.transAxes.inverted().transform(axes.transData.transform(at)) - 0.5
    beyond = np.where(np.abs(way) > 0.5, way, 0.0)
    return math.degrees(math.atan2(beyond[1], beyond[0])) - 90
