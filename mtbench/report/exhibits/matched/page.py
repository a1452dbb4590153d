"""Results of methods over what they cost, as for arms of an experiment that are matched in weights or operations."""

import math
from dataclasses import dataclass
from functools import partial

import pandas as pd

from mtbench.report.data.columns import Column
from mtbench.report.data.cost.magnitude import Magnitude, magnitude
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.exhibits.exhibit import Exhibit
from mtbench.report.exhibits.matched.figure import Point, draw_matched
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import over_seeds
from mtbench.report.page.suite import called, measured, warnings
from mtbench.report.page.words import DASH, plain, written
from mtbench.report.text import counted, decimals, difference, ratio
from mtbench.stats.contrast import Contrast, paired
from mtbench.stats.summary import Summary, summarize

__all__ = ["matched_exhibits"]

_COSTS = ("weights", "macs_per_task", "macs_per_input")
_COLUMNS = [
    *("suite", "size", "dataset", "variation", "method", "reference"),
    *(name for cost in _COSTS for name in (cost, f"{cost}_ratio")),
    *("metric", "unit", "n", "mean", "std", "t95_low", "t95_high"),
    *("pairs", "difference", "difference_t95_low", "difference_t95_high"),
]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A method as one of the arms.

    Attributes:
        name: the suite's for it, and `title` what it is called in reports.
        size: what it costs; None before a run has finished.
        summary: of the mean over tasks.
        against: its paired contrast to the reference; None for the reference itself, or without one.
    """

    name: str
    title: str
    size: Magnitude | None
    summary: Summary
    against: Contrast | None


def matched_exhibits(runs: SuiteRuns) -> list[Exhibit]:
    """For each sheet whose tasks share a metric a figure, a page, and the numbers behind."""
    exhibits = []
    for sheet in runs.sheets:
        column = next((column for column in sheet.columns if column.is_mean), None)
        if column is None:
            continue
        reference = _reference(runs, sheet)
        arms = _arms(runs, sheet, column, reference)
        points = [
            Point(
                title=arm.title,
                family=_family(sheet, arm.name),
                weights=arm.size.weights,
                macs_per_task=arm.size.macs_per_task,
                macs_per_input=arm.size.macs_per_input,
                summary=arm.summary,
                is_reference=arm.name == reference,
            )
            for arm in arms
            if arm.size and arm.summary.n
        ]
        name = runs.stem(sheet).removeprefix(f"{runs.slug}-") + "-matched"
        exhibits.append(
            Exhibit(
                name=name,
                pages=(_page(runs, sheet, column, arms, reference),),
                frame=_frame(runs, sheet, column, arms, reference),
                draw=partial(draw_matched, runs, sheet, column, points) if points else None,
            )
        )
    return exhibits


def _reference(runs: SuiteRuns, sheet: Sheet) -> str:
    """The first method of the suite's grid for the dataset; empty where no run of it has finished."""
    first = next(part.methods[0] for part in runs.suite.grid if sheet.dataset in part.datasets)
    found = sheet.runs(first)
    return first if found and found.records else ""


def _arms(runs: SuiteRuns, sheet: Sheet, column: Column, reference: str) -> list[Arm]:
    titles, scores = called(runs.suite, [sheet]), sheet.scores(column.name)
    return [
        Arm(
            name=name,
            title=title,
            size=magnitude(sheet.runs(name)),
            summary=summarize(scores[name]),
            against=paired(scores[name], scores[reference]) if reference and name != reference else None,
        )
        for name, title in titles.items()
    ]


def _family(sheet: Sheet, name: str) -> str:
    """Network and balancer, without the backbone: what arms of unlike widths have in common."""
    found = sheet.runs(name)
    assert found is not None
    spec = found.runs[0].spec
    return f"{spec.network}+{spec.balancer}"


def _page(runs: SuiteRuns, sheet: Sheet, column: Column, arms: list[Arm], reference: str) -> Page:
    """A row per arm: what it costs, each with its ratio to the reference, what it does, and by how much more."""
    sizes = {arm.name: arm.size for arm in arms}
    base = sizes.get(reference)
    digits = decimals([arm.summary.mean for arm in arms if arm.summary.n], column.unit)
    lines = []
    for arm in arms:
        finished, planned = arm.summary.n, sheet.planned
        says = [
            arm.title,
            *(_cost(arm.size, base, cost) for cost in _COSTS),
            written(arm.summary, digits),
            _against(arm.against, digits),
            str(finished) if finished >= planned else f"{finished}/{planned}",
        ]
        lines.append(plain(says))
    title = called(runs.suite, [sheet]).get(reference, "")
    return Page(
        title=f"{runs.suite.name}: {sheet.comparison.dataset}, protocol {sheet.comparison.title}, over cost",
        label=f"{runs.stem(sheet)}-matched",
        quick=runs.quick,
        layout=Layout(
            header=("method", "weights", "MACs one", "MACs all", column.name, "difference", "n"),
            lines=tuple(lines),
            tasks=5,
            costs=0,
        ),
        caption=(
            f"{sheet.comparison.dataset}, protocol {sheet.comparison.title}: test {column.metric} and cost"
            f"{over_seeds(arm.summary.n for arm in arms if arm.summary.n)}."
            + (f" Difference: from {title}, paired over seeds, with its 95 % confidence interval." if title else ""),
        ),
        details=(
            f"Suite {runs.suite.name}: {runs.suite.title}.",
            "Weights: number of weights of the whole network without biases. MACs: multiply-accumulates of the "
            "predictions for one example, of one task and of all tasks."
            + (f" In brackets: relative to {title}." if title else ""),
            measured(column, [sheet]),
            "Standard deviations have the divisor n-1.",
        ),
        footnotes=warnings(arm.title for arm in arms),
    )


def _against(contrast: Contrast | None, digits: int) -> str:
    return difference(contrast.difference, contrast.interval(), digits) if contrast and contrast.n else DASH


def _cost(size: Magnitude | None, base: Magnitude | None, cost: str) -> str:
    if size is None:
        return DASH
    number = getattr(size, cost)
    shown = f"{number:,}" if cost == "weights" else counted(number)
    return f"{shown} ({ratio(number / getattr(base, cost))})" if base else shown


def _frame(runs: SuiteRuns, sheet: Sheet, column: Column, arms: list[Arm], reference: str) -> pd.DataFrame:
    """One row per arm, at full precision; ratios and differences are to the reference."""
    base = next((arm.size for arm in arms if arm.name == reference), None)
    rows = []
    for arm in arms:
        row = {
            "suite": runs.suite.name,
            "size": runs.size,
            "dataset": sheet.dataset,
            "variation": ", ".join(f"{name}={value}" for name, value in sheet.variation),
            "method": arm.name,
            "reference": reference or None,
            "metric": column.metric,
            "unit": column.unit,
            "n": arm.summary.n,
            "mean": arm.summary.mean if arm.summary.n else None,
            "std": arm.summary.std,
        }
        row["t95_low"], row["t95_high"] = arm.summary.interval or (None, None)
        for cost in _COSTS if arm.size else ():
            row[cost] = getattr(arm.size, cost)
            row[f"{cost}_ratio"] = row[cost] / getattr(base, cost) if base else None
        if arm.against:
            row |= {"pairs": arm.against.n, "difference": _known(arm.against.difference)}
            row["difference_t95_low"], row["difference_t95_high"] = arm.against.interval() or (None, None)
        rows.append(row)
    return pd.DataFrame(rows, columns=_COLUMNS)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
