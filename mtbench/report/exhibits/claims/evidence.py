"""Evidence for a suite's claim: the contrast of the runs, that of the published numbers, and what is known of both."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.parse import parse_dataset
from mtbench.plan.suite import MEAN, AnyClaim, PaperTable
from mtbench.plan.suite.claims.quantity import QUANTITIES
from mtbench.report.data.constant import not_above
from mtbench.report.data.convergence import BOUND, late_gain
from mtbench.report.data.gains.relative import DELTA, deltas
from mtbench.report.data.quantities import VALUES
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.exhibits.claims.held import Side
from mtbench.report.exhibits.published.page import published_number
from mtbench.report.text import listed
from mtbench.stats.contrast import Contrast, welch_from
from mtbench.stats.resample import Resampled

__all__ = [
    *("Evidence", "direction", "direction_of", "measured_values", "metric_in_words", "paper_contrast"),
    *("settings_in_words", "title", "unconverged", "unlearned", "unmeasured"),
]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence that a claim rests on.

    Attributes:
        words: the contrast in words, without marks.
        stale: True if any of its runs is stale.
        mixed: True if runs with different numerics are compared.
        grown: True if seeds were added after a look at others.
        higher_is_better: the good direction of the metric.
        unit: the unit of the metric.
        planned: the planned number of seeds.
        paper: the contrast of the published numbers; None if there are none.
        ours: the contrast of the runs.
        unpaired: why runs are not compared in pairs although the claim asks for it; empty if they are, or if it does
            not.
        resampled: the spread over runs and test images that might have been; None where predictions or data lack.
        refused: why tuned runs are not compared, in a clause; empty if they are, and for claims about default runs.
        unread: a clause on the predictions that cannot be read, so that there is no `resampled`; empty if all can be.
        unlearned: True if none of the compared results is above the constant prediction of
            `mtbench.report.data.constant`.
        sides: the runs that are compared, with the resources that they have used.
        gaining: gains in the last tenth of training of the compared methods that are not converged, by name (see
            `unconverged`).
    """

    words: str
    stale: bool
    mixed: bool
    higher_is_better: bool
    unit: str
    planned: int
    paper: Contrast | None
    ours: Contrast
    unpaired: str = ""
    refused: str = ""
    resampled: Resampled | None = None
    unread: str = ""
    unlearned: bool = False
    grown: bool = False
    sides: Sequence[Side] = ()
    gaining: Mapping[str, float] = field(default_factory=dict)


def unlearned(parts: Sequence[tuple[Sheet | None, str]], metric: str) -> bool:
    """Return whether none of the methods of some sheets, all of which have runs, is above the constant prediction.

    Args:
        metric: a task's name, or `mtbench.plan.suite.MEAN`, or `DELTA`, which is of all tasks.
    """
    for sheet, name in parts:
        method = sheet.runs(name) if sheet else None
        columns = [column for column in (sheet.columns if sheet else ()) if metric in (column.name, DELTA)]
        if not (method and columns and all(not_above(method, column) for column in columns)):
            return False
    return True


def unconverged(
    runs: SuiteRuns, parts: Sequence[tuple[Sheet | None, str]], columns: Sequence[str], margin: float
) -> dict[str, float]:
    """Return the methods of some sheets that still gain more than a margin in the last tenth of training, with their
    gains; none in a preview.

    Args:
        runs: runs of the suite.
        parts: sheets, each with a method of it.
        columns: the columns whose mean a claim is about: tasks, or `mtbench.plan.suite.MEAN`, or `DELTA`.
        margin: in the metric's unit, or in points of Δm; 0 for `mtbench.report.data.convergence.BOUND`, which is in
            points, or of metrics in other units than % in % of their value.
    """
    found = {}
    datasets = {sheet.dataset for sheet, _ in parts if sheet}
    variations = {sheet.variation for sheet, _ in parts if sheet}
    for sheet, name in parts:
        method = sheet.runs(name) if sheet else None
        if sheet is None or method is None or sheet.comparison.quick:
            continue
        units = {column.unit for column in sheet.columns if column.name in columns}
        asked = columns if margin or units <= {"%"} else [DELTA]
        gain = sum(late_gain(sheet.comparison, method, column) for column in asked) / len(asked)
        if gain > (margin or BOUND):
            said = title(runs, name) + f" on {sheet.dataset}" * (len(datasets) > 1)
            found[said + f" with {settings_in_words(sheet.variation)}" * (len(variations) > 1)] = gain
    return found


def measured_values(sheet: Sheet | None, claim: AnyClaim) -> Mapping[str, NDArray[np.float64]]:
    """Return by method what a claim is about, per seed (S,) of a sheet; NaN where there is no finished run."""
    if sheet is None:
        return {}
    if claim.quantity:
        methods = {name: method for name in claim.methods if (method := sheet.runs(name))}
        return dict(zip(methods, VALUES[claim.quantity](sheet.comparison, list(methods.values())), strict=True))
    if claim.is_relative:
        return dict(zip(sheet.methods, deltas(sheet.comparison), strict=True))
    columns = [sheet.scores(column) for column in claim.columns]
    return {method: np.mean([column[method] for column in columns], axis=0) for method in columns[0]}


def direction_of(sheet: Sheet | None, claim: AnyClaim) -> tuple[bool, str]:
    """Return whether higher is better in what a claim is about, and its unit."""
    if claim.quantity:
        return QUANTITIES[claim.quantity].higher_is_better, QUANTITIES[claim.quantity].unit
    return (True, "%") if claim.is_relative else direction(sheet, claim.where[0][0], claim.columns[0])


def unmeasured(parts: Sequence[tuple[Sheet | None, str]], claim: AnyClaim) -> str:
    """Return in a clause which methods have runs, but none with the quantity of a claim; empty if there are none."""
    lacking = [
        name
        for sheet, name in parts
        if claim.quantity and sheet and sheet.runs(name) and np.isnan(measured_values(sheet, claim)[name]).all()
    ]
    return f"no run of {listed(dict.fromkeys(lacking))} has a measured {claim.quantity}" if lacking else ""


def metric_in_words(claim: AnyClaim) -> str:
    """Return the metric of a claim after a comma; an empty text for the mean over tasks."""
    return {DELTA: ", Δm", MEAN: ""}.get(claim.measured, f", {claim.measured}")


def settings_in_words(settings: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    """Return the settings of a variation, as texts, in words."""
    return ", ".join(f"{name}={value}" for name, value in dict(settings).items()) or "default settings"


def title(runs: SuiteRuns, method: str) -> str:
    """Return the suite's name for a method."""
    return runs.suite.labels.get(method, method)


def direction(sheet: Sheet | None, dataset: str, column: str) -> tuple[bool, str]:
    """Return whether higher is better in a column, and its unit: as the runs have it, or before any, the dataset."""
    found = [each for each in (sheet.columns if sheet else ()) if each.name == column]
    if found:
        return found[0].higher_is_better, found[0].unit
    metrics = {task.name: task.kind.metrics[0] for task in parse_dataset(dataset).tasks()}
    metric = metrics.get(column) or next(iter(metrics.values()))
    return metric.higher_is_better, metric.unit


def paper_contrast(
    first: tuple[PaperTable | None, str], second: tuple[PaperTable | None, str], column: str
) -> Contrast | None:
    """Return the contrast of two published numbers, each a table and a method of it, by Welch; None if one is not
    there.

    With an interval only where spreads and repeats were published.
    """
    numbers = [
        (*number, table.n)
        for table, method in (first, second)
        if table is not None and not table.metric and (number := published_number(table, method, column)) is not None
    ]
    if len(numbers) < 2:
        return None
    (mean, std, n), (other_mean, other_std, other_n) = numbers
    return welch_from(
        mean, math.nan if std is None else std, n, other_mean, math.nan if other_std is None else other_std, other_n
    )
