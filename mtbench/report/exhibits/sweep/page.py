"""Tables of a setting that a suite varies."""

import pandas as pd

from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.sweep.data import Sweep, Swept
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.suite import measured, warnings
from mtbench.report.page.words import plain, written
from mtbench.report.text import counts, decimals
from mtbench.stats.summary import summarize

__all__ = ["sweep_frame", "sweep_page"]

_COLUMNS = [
    *("suite", "size", "dataset", "setting", "value", "fixed", "method", "column", "metric", "unit"),
    *("higher_is_better", "n", "mean", "std", "t95_low", "t95_high"),
]


def sweep_page(runs: SuiteRuns, sweep: Sweep, part: Swept, label: str) -> Page:
    """Return a row per method, a column per value: mean ± std over seeds of the mean over tasks, or without one of
    each."""
    header = ["method"]
    for column in part.main:
        of_task = "" if column.is_mean else f"{column.name} "
        header += [f"{of_task}{sweep.setting}={value}" for value in sweep.values]
    lines = []
    for method, title in part.methods.items():
        line, numbers = [title], []
        for column in part.main:
            summaries = [summarize(part.scores(method, value, column)) for value in sweep.values]
            digits = decimals([each.mean for each in summaries if each.n], column.unit)
            line += [written(each, digits) for each in summaries]
            numbers = [each.n for each in summaries]
        lines.append(plain((*line, counts(numbers))))
    return Page(
        title=f"{runs.suite.name}: {part.dataset} over {sweep.words}, size {runs.size}",
        label=label,
        quick=runs.quick,
        layout=Layout(header=(*header, "n"), lines=tuple(lines), tasks=len(header) - 1, costs=0),
        caption=(
            f"{part.dataset} over {sweep.words}, size {runs.size}: mean ± standard deviation over n seeds "
            "(for each value if they differ).",
        ),
        details=(
            f"Suite {runs.suite.name}: {runs.suite.title}.",
            f"Columns: {sweep.setting}, {sweep.meaning.rstrip('.')}.",
            *(measured(column, part.all_sheets) for column in part.main[:1]),
            "Standard deviations have the divisor n-1.",
            "A value chosen by these numbers would be chosen on the test split.",
        ),
        footnotes=warnings(part.methods.values()),
    )


def sweep_frame(runs: SuiteRuns, sweep: Sweep) -> pd.DataFrame:
    """Return one row per dataset, method, value and column (each task, and the mean over them)."""
    rows = []
    for part in sweep.parts:
        for method in part.methods:
            for value in sweep.values:
                for column in part.columns:
                    summary = summarize(part.scores(method, value, column))
                    low, high = summary.interval or (None, None)
                    rows.append(
                        {
                            "suite": runs.suite.name,
                            "size": runs.size,
                            "dataset": part.dataset,
                            "setting": sweep.setting,
                            "value": value,
                            "fixed": ", ".join(f"{name}={value}" for name, value in sweep.fixed),
                            "method": method,
                            "column": column.name,
                            "metric": column.metric,
                            "unit": column.unit,
                            "higher_is_better": column.higher_is_better,
                            "n": summary.n,
                            "mean": summary.mean if summary.n else None,
                            "std": summary.std,
                            "t95_low": low,
                            "t95_high": high,
                        }
                    )
    return pd.DataFrame(rows, columns=_COLUMNS)
