"""A suite over datasets with more and more tasks: results and cost of methods over the number of tasks."""

from collections.abc import Iterator, Sequence

import pandas as pd

from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.cost.expense import expense
from mtbench.report.data.cost.magnitude import Magnitude
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.scaling.data import Point, Scale
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.suite import measured, warnings
from mtbench.report.page.words import plain, written
from mtbench.report.text import counts, decimals
from mtbench.stats.summary import Summary, summarize

__all__ = ["scaling_frame", "scaling_page"]

_COLUMNS = [
    *("suite", "size", "dataset", "variation", "tasks", "method", "metric", "unit", "n", "mean", "std"),
    *("t95_low", "t95_high", "delta_m_n", "delta_m", "delta_m_std", "delta_m_t95_low", "delta_m_t95_high"),
    *("weights", "parameter_ratio", "macs_per_task", "macs_per_input", "peak_memory", "seconds_per_epoch"),
]


def scaling_page(runs: SuiteRuns, scale: Scale, label: str) -> Page:
    """Return a row per method; per dataset the mean over tasks, then per dataset Delta_m."""
    points = [point for point in scale.points if point.sheet]
    of = [*([scale.means] if scale.column else []), *([scale.gains] if scale.single else [])]
    signs = (["", "Δm "] if scale.column else ["Δm "])[: len(of)]
    header = [f"{sign}{point.head}" for sign in signs for point in points]
    titles = {method: title for method, title in scale.titles.items() if any(_runs(point, method) for point in points)}
    lines = []
    means = [summarize(scale.means(point, method)) for point in points for method in titles]
    unit = scale.column.unit if scale.column else "%"
    places = [2 if values == scale.gains else decimals([each.mean for each in means if each.n], unit) for values in of]
    for method, title in titles.items():
        line = [title]
        for values, digits in zip(of, places, strict=True):
            summaries = [summarize(values(point, method)) for point in points]
            line += [written(each, digits, sign=values == scale.gains) for each in summaries]
        finished = [len(found.records) if (found := _runs(point, method)) else 0 for point in points]
        lines.append(plain((*line, counts(finished))))
    gain = f"Δm: the mean over tasks of the relative gain over {scale.single} with the same seed and backbone, in %."
    return Page(
        title=f"{runs.suite.name}: over the number of tasks{scale.words}, size {runs.size}",
        label=label,
        quick=runs.quick,
        layout=Layout(header=("method", *header, "n"), lines=tuple(lines), tasks=len(header), costs=0),
        caption=(
            f"{runs.suite.title}{scale.words}, size {runs.size}: mean ± standard deviation over n seeds (for "
            "each dataset if they differ); in brackets: number of tasks.",
        ),
        details=(
            *([measured(scale.column, scale.sheets)] if scale.column else []),
            *([gain] if scale.single else []),
            "Standard deviations have the divisor n-1. Datasets with more tasks may be harder: compare methods within "
            "a column.",
        ),
        footnotes=warnings(titles.values()),
    )


def _runs(point: Point, method: str) -> MethodRuns | None:
    return point.sheet.runs(method) if point.sheet else None


def scaling_frame(runs: SuiteRuns, scale: Scale) -> pd.DataFrame:
    """Return one row per dataset and method."""
    rows = [
        {
            "suite": runs.suite.name,
            "size": runs.size,
            "dataset": point.dataset,
            "variation": ", ".join(f"{name}={value}" for name, value in scale.variation),
            "tasks": point.tasks,
            "method": method,
            "metric": scale.column.metric if scale.column else None,
            "unit": scale.column.unit if scale.column else None,
            **dict(_numbers(summarize(scale.means(point, method)), ("n", "mean", "std", "t95_low", "t95_high"))),
            **dict(_numbers(summarize(scale.gains(point, method)), [name for name in _COLUMNS if "delta_m" in name])),
            **_sizes(point.size(method)),
            **_training(_runs(point, method)),
        }
        for point in scale.points
        for method in point.methods
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _numbers(summary: Summary, names: Sequence[str]) -> Iterator[tuple[str, float | None]]:
    low, high = summary.interval or (None, None)
    mean = summary.mean if summary.n else None
    yield from zip(names, (summary.n, mean, summary.std, low, high), strict=True)


def _sizes(size: Magnitude | None) -> dict[str, float | None]:
    return {
        "weights": size.weights if size else None,
        "parameter_ratio": size.relative if size else None,
        "macs_per_task": size.macs_per_task if size else None,
        "macs_per_input": size.macs_per_input if size else None,
    }


def _training(method: MethodRuns | None) -> dict[str, float | None]:
    found = expense(method, None) if method else None
    return {"peak_memory": found.memory if found else None, "seconds_per_epoch": found.seconds if found else None}
