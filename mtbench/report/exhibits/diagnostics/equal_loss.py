"""Update compliance ratios of several methods at the same training loss, pair by pair.

Ratios fall as losses do, so that a method that learns more slowly seems to have less conflict. Methods are compared at
two losses of each pair that all of their runs have: the highest, which is early in training, and the lowest, which is
as far as the one goes that reaches least. The loss of a pair is the mean of the two tasks' training losses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.diagnostics.pairs import PAIRS, pair_curves
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import STALE
from mtbench.report.page.words import DASH, plain, written
from mtbench.report.text import listed
from mtbench.stats.summary import summarize

__all__ = ["EqualLoss", "equal_losses"]

_MEASURED = {"ucr": "", "null": " null", "same_images_ucr": " same images", "same_images_null": " null of these"}
"""Quantities that are compared, and their heads behind the name of a method."""
_CAPTION = (
    "Update compliance ratio (UCR, %) at equal training loss: fraction of mini-batches in which the gradients of two "
    "tasks have a positive inner product in their shared parameters. Mean ± standard deviation over seeds.",
    "Null: the same task on the two halves of each mini-batch, mean of the two tasks.",
)
_AT = "Compared at the highest and at the lowest loss of each pair that all runs of all methods reach."
_DETAILS = (
    f"{_AT} The loss of a pair is the mean of the training losses of its tasks. Between the points of a curve, ratios "
    "are interpolated linearly in the loss, over points with a lower loss than all points before. Where methods define "
    "their losses differently, equal losses do not mean equal learning.",
)
_SAME = "Same images: with triplets of all tasks on the same images, the anchors of each mini-batch."


@dataclass(frozen=True, kw_only=True)
class EqualLoss:
    """A comparison at equal loss of all that was trained on tasks of one dataset, all together or some of them.

    Attributes:
        home: the comparison with the most tasks, beside which it stands.
        page: the table in words.
        frame: a row per run, pair and loss.
    """

    home: Comparison
    page: Page
    frame: pd.DataFrame


def equal_losses(comparisons: Sequence[Comparison], conflict: Sequence[pd.DataFrame]) -> list[EqualLoss]:
    """Return a table for each dataset and protocol of which two methods or more have conflict at a common loss.

    Comparisons of one dataset with different options, such as pairs of its tasks, are in one table.

    Args:
        conflict: `mtbench.report.exhibits.diagnostics.data.conflict_frame` of each.
    """
    groups: dict[tuple[str, str], list[tuple[Comparison, pd.DataFrame]]] = {}
    for comparison, frame in zip(comparisons, conflict, strict=True):
        name = comparison.methods[0].runs[0].spec.dataset.name
        groups.setdefault((name, comparison.title), []).append((comparison, frame))
    found = []
    for group in groups.values():
        ordered = sorted(group, key=lambda each: -len(each[0].tasks))
        parts = [part for each in ordered if not (part := _at_common_losses(*each)).empty]
        if parts:
            frame, members = pd.concat(parts, ignore_index=True), [comparison for comparison, _ in ordered]
            found.append(EqualLoss(home=members[0], page=_page(members, frame), frame=frame))
    return found


def _at_common_losses(comparison: Comparison, conflict: pd.DataFrame) -> pd.DataFrame:
    """Return a row per run, pair of tasks and loss; empty where there are no two methods, or no common loss."""
    if conflict.empty or conflict["method"].nunique() < 2:
        return pd.DataFrame()
    curves = pair_curves(conflict).dropna(subset=["pair_loss"])
    rows = []
    for (task, other), pair in curves.groupby(["task", "other"], sort=False):
        runs = {run: _lows(points) for run, points in pair.groupby(["method", "seed"], sort=False)}
        highest = min(lows["pair_loss"].max() for lows in runs.values())
        lowest = max(lows["pair_loss"].min() for lows in runs.values())
        for at, loss in (("highest", highest), ("lowest", lowest)) if lowest <= highest else ():
            for (method, seed), lows in runs.items():
                values = {name: np.interp(loss, lows["pair_loss"], lows[name]) for name in _MEASURED}
                where = {"dataset": comparison.dataset_title, "tasks": len(comparison.tasks)}
                pair_of = {"task": task, "other": other, "at": at, "loss": loss}
                rows.append({**where, **pair_of, "method": method, "seed": seed, **values})
    return pd.DataFrame(rows)


def _lows(points: pd.DataFrame) -> pd.DataFrame:
    """Return the points of a curve at which the loss is lower than ever before, in the order of the loss."""
    before = points.sort_values("epoch")
    new = before["pair_loss"] < before["pair_loss"].cummin().shift(fill_value=np.inf)
    return before[new].sort_values("pair_loss")


def _page(comparisons: Sequence[Comparison], frame: pd.DataFrame) -> Page:
    home = comparisons[0]
    methods = list(dict.fromkeys(frame["method"]))
    shown = [name for name in _MEASURED if frame[name].notna().any()]
    stale = [method.title for each in comparisons for method in each.methods if method.stale]
    few = frame[["task", "other", "dataset"]].drop_duplicates()
    left_out = [] if len(few) <= PAIRS else [f"Of {len(few)} pairs the mean is here; each is in the .csv file."]
    return Page(
        title=f"{home.dataset_title}, protocol {home.title}: update compliance at equal training loss",
        label=f"{home.folder}-{home.slug}-equal-loss",
        quick=home.quick,
        layout=Layout(
            header=("pair", "trained on", "loss", *(f"{each}{_MEASURED[name]}" for each in methods for name in shown)),
            lines=tuple(plain(line) for line in _lines(frame, methods, shown, each=len(few) <= PAIRS)),
            tasks=0,
            costs=0,
        ),
        caption=_CAPTION,
        details=(*_DETAILS, *([_SAME] if len(shown) > 2 else []), *left_out),
        footnotes=(f"{STALE} Here: {listed(dict.fromkeys(stale))}.",) if stale else (),
        aside=_AT,
    )


def _lines(frame: pd.DataFrame, methods: list[str], shown: list[str], *, each: bool) -> Iterator[tuple[str, ...]]:
    """Yield the mean over pairs of what was trained together, then each pair, at both losses."""
    alike = frame.groupby(["tasks", "task", "other"])["dataset"].nunique().max() > 1  # of one pair on several datasets
    for (dataset, tasks), here in frame.groupby(["dataset", "tasks"], sort=False):
        by_pair = here.groupby(["task", "other"], sort=False)
        parts = [(" & ".join(map(str, pair)), of_pair) for pair, of_pair in by_pair] if each else []
        if by_pair.ngroups > 1:
            parts.insert(0, (f"mean of {by_pair.ngroups} pairs", here))
        for name, part in parts:
            for at in ("highest", "lowest"):
                runs = part[part["at"] == at].groupby(["method", "seed"])[["loss", *shown]].mean()
                cells = [
                    written(summarize(runs.loc[method][column]), 1) if method in runs.index else DASH
                    for method in methods
                    for column in shown
                ]
                yield name, str(dataset) if alike else f"{tasks} tasks", f"{at} {runs['loss'].mean():.3g}", *cells
