"""Tables of methods over their cost."""

import math

import pandas as pd

from mtbench.report.data.cost.magnitude import Magnitude
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.matched.data import Arms
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import over_seeds
from mtbench.report.page.suite import called, measured, warnings
from mtbench.report.page.words import DASH, plain, written
from mtbench.report.text import counted, decimals, difference, ratio
from mtbench.stats.contrast import Contrast

__all__ = ["matched_frame", "matched_page"]

_COSTS = ("weights", "macs_per_task", "macs_per_input")
_COLUMNS = [
    *("suite", "size", "dataset", "variation", "method", "reference"),
    *(name for cost in _COSTS for name in (cost, f"{cost}_ratio")),
    *("metric", "unit", "n", "mean", "std", "t95_low", "t95_high"),
    *("pairs", "difference", "difference_t95_low", "difference_t95_high"),
]


def matched_page(runs: SuiteRuns, found: Arms) -> Page:
    """Return a row per arm: what it costs, each with its ratio to the reference, what it does, and by how much more."""
    sheet, column, arms, reference = found.sheet, found.column, found.arms, found.reference
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


def matched_frame(runs: SuiteRuns, found: Arms) -> pd.DataFrame:
    """Return one row per arm, at full precision; ratios and differences are to the reference."""
    sheet, column, arms, reference = found.sheet, found.column, found.arms, found.reference
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
