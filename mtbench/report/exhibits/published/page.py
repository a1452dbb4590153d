"""A paper's numbers beside ours."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mtbench.plan.suite import MEAN, PaperTable
from mtbench.report import marks
from mtbench.report.data.choices import AVERAGES, Choices
from mtbench.report.data.columns import Column, columns_of, scores
from mtbench.report.data.constant import not_above
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import ADDED, STALE, apart, trained
from mtbench.report.page.words import DASH, plain, written
from mtbench.report.text import decimals, signed, span, spread
from mtbench.stats.contrast import welch_from
from mtbench.stats.ranking import order_agreement
from mtbench.stats.summary import Summary, summarize

__all__ = ["published_frame", "published_number", "published_page"]


def published_page(runs: SuiteRuns, sheet: Sheet) -> Page | None:
    """Per column three: the paper's mean ± std, ours, and ours minus the paper's; None if nothing was published."""
    paper = sheet.paper
    if paper is None:
        return None
    columns = [
        column
        for column in _columns(sheet, paper)
        if any(published_number(paper, method, column.name) is not None for method in paper.rows)
    ]
    if not columns:
        return None
    order = [method for part in runs.suite.grid if sheet.dataset in part.datasets for method in part.methods]
    methods = [method for method in (*order, *sheet.methods) if method in paper.rows or method in sheet.methods]
    stale = {name for name, each in zip(sheet.methods, sheet.comparison.methods, strict=True) if each.stale}
    grown = {name for name, each in zip(sheet.methods, sheet.comparison.methods, strict=True) if each.grown}
    header = ["method", *(f"{column.name} {what}" for column in columns for what in ("paper", "ours", "diff"))]
    lines = [
        plain(
            (
                runs.suite.labels.get(method, method)
                + marks.STALE * (method in stale)
                + marks.GROWN * (method in grown),
                *(says for column in columns for says in _triple(sheet, paper, method, column)),
            )
        )
        for method in dict.fromkeys(methods)
    ]
    records = [record for each in sheet.comparison.methods for record in each.records.values()]
    return Page(
        title=f"{runs.suite.name}: {sheet.comparison.dataset}, protocol {sheet.comparison.title}, beside the paper",
        label=f"{runs.stem(sheet)}-paper",
        quick=runs.quick,
        layout=Layout(header=tuple(header), lines=tuple(lines), tasks=3 * len(columns), costs=0, together=3),
        caption=(
            f"{sheet.comparison.dataset}, protocol {sheet.comparison.title}: ours beside "
            f"{paper.source or runs.suite.source}{_repeats(paper)}.{_metric(columns[0], paper)}",
            "Mean ± standard deviation; diff: ours minus the paper's.",
        ),
        details=(
            f"Ours: {trained(sheet.comparison, records)}",
            f"Standard deviations are over repeats{_divisor(paper, columns)}.{_convention(paper)}"
            f"{_own_mean(paper, columns)}",
        ),
        footnotes=(
            *(apart(each) for each in sheet.comparison.methods if each.apart),
            *_order(sheet, paper, columns),
            *([STALE] if stale else []),
            *([ADDED] if grown else []),
        ),
        aside="diff: ours minus the paper's.",
    )


def published_frame(runs: SuiteRuns) -> pd.DataFrame:
    """Return one row per method and column that was published, at full precision.

    Columns: what it is of, ``paper_mean``, ``paper_std``, ``paper_n``, ``n``, ``mean``, ``std``, ``difference`` (ours
    minus the paper's), and its 95 % interval by Welch where both spreads are known, ``welch95_low`` and
    ``welch95_high``.
    """
    rows = []
    for sheet in runs.sheets:
        paper = sheet.paper
        for column in _columns(sheet, paper) if paper else ():
            assert paper is not None
            for method in paper.rows:
                published, ours = published_number(paper, method, column.name), _ours(sheet, method, column)
                if published is None:
                    continue
                low, high = _interval(published, paper.n, ours) or (None, None)
                rows.append(
                    {
                        "suite": runs.suite.name,
                        "size": runs.size,
                        "dataset": sheet.dataset,
                        "variation": ", ".join(f"{name}={value}" for name, value in sheet.variation),
                        "method": method,
                        "column": column.name,
                        "paper_mean": published[0],
                        "paper_std": published[1],
                        "paper_n": paper.n or None,
                        "n": ours.n,
                        "mean": ours.mean if ours.n else None,
                        "std": ours.std,
                        "difference": ours.mean - published[0] if ours.n else None,
                        "welch95_low": low,
                        "welch95_high": high,
                    }
                )
    return pd.DataFrame(rows)


def published_number(paper: PaperTable, method: str, column: str) -> tuple[float, float | None] | None:
    """Return the mean and standard deviation that were published, or that follow from what was.

    Where the mean over tasks was not, it is that of the tasks' means. Its spread depends on how tasks move together,
    which no table says; given is the most it can be, the mean of their standard deviations, as if they moved as one.
    """
    if column != MEAN or MEAN in paper.columns:
        return paper.number(method, column)
    known = [paper.number(method, name) for name in paper.columns]
    values = [value for value in known if value is not None]
    if not values:
        return None
    spreads = [std for _, std in values if std is not None]
    mean = sum(value for value, _ in values) / len(values)
    return mean, sum(spreads) / len(spreads) if len(spreads) == len(values) else None


def _columns(sheet: Sheet, paper: PaperTable) -> Sequence[Column]:
    """Return the columns of the metric that was published."""
    return columns_of(sheet.comparison, Choices(metrics=(paper.metric,))) if paper.metric else sheet.columns


def _values(sheet: Sheet, column: Column) -> dict[str, NDArray[np.float64]]:
    """Return by method the metric of a column per seed (S,)."""
    return dict(zip(sheet.methods, scores(sheet.comparison, column), strict=True))


def _ours(sheet: Sheet, method: str, column: Column) -> Summary:
    return summarize(_values(sheet, column).get(method, np.array([])))


def _triple(sheet: Sheet, paper: PaperTable, method: str, column: Column) -> tuple[str, str, str]:
    published, ours = published_number(paper, method, column.name), _ours(sheet, method, column)
    known = [value for value in (published and published[0], ours.mean if ours.n else None) if value is not None]
    digits = decimals(known, column.unit)
    theirs = DASH if published is None else spread(*published, digits)
    gap = DASH if published is None or not ours.n else signed(ours.mean - published[0], digits)
    return theirs, written(ours, digits), gap


def _interval(published: tuple[float, float | None], n: int, ours: Summary) -> tuple[float, float] | None:
    if published[1] is None or ours.std is None or n < 2:
        return None
    return welch_from(ours.mean, ours.std, ours.n, published[0], published[1], n).interval()


def _repeats(paper: PaperTable) -> str:
    return f", {paper.n} repeats" if paper.n else ", repeats not stated"


def _divisor(paper: PaperTable, columns: Sequence[Column]) -> str:
    """Return the divisor of our standard deviations, and the factor between the two that papers use; empty where a
    paper prints none."""
    numbers = [published_number(paper, method, column.name) for method in paper.rows for column in columns]
    if not any(number is not None and number[1] is not None for number in numbers):
        return ""
    ours = "ours with divisor n-1"
    if paper.n < 2:
        return f" ({ours})"
    return f" ({ours}; a paper that divides by n = {paper.n} prints {((paper.n - 1) / paper.n) ** 0.5:.2f} of that)"


def _metric(column: Column, paper: PaperTable) -> str:
    """Return a sentence on the metric, where it is not the primary one."""
    return f" Numbers are of {column.metric}{f' in {column.unit}' * bool(column.unit)}." if paper.metric else ""


def _convention(paper: PaperTable) -> str:
    """Return a sentence on the paper's own Δm; empty where the suite says nothing of it."""
    if not paper.delta:
        return ""
    average, _, sign = paper.delta.partition("/")
    better = {"gain": "higher", "drop": "lower"}[sign]
    return (
        f" The paper's Δm ({paper.delta}): {AVERAGES[average].rstrip(',')} of the relative {sign}, {better} is better. "
        "Ours is relative to the single-task run with the same seed."
    )


def _own_mean(paper: PaperTable, columns: Sequence[Column]) -> str:
    if MEAN in paper.columns or not any(column.is_mean for column in columns):
        return ""
    return " The paper's mean over tasks is the mean of its means, with the largest standard deviation that they allow."


def _order(sheet: Sheet, paper: PaperTable, columns: Sequence[Column]) -> Iterator[str]:
    """Say whether the order of methods is the paper's, by Kendall's tau of their means (Kendall, Biometrika 30, 1938);
    methods that are not above the constant prediction are left out."""
    column = next((each for each in columns if each.is_mean), columns[0])
    values = _values(sheet, column)
    low = {method for method in sheet.methods if (runs := sheet.runs(method)) and not_above(runs, column)}
    common = [method for method in paper.rows if method in values and np.isfinite(values[method]).any()]
    common = [method for method in common if method not in low]
    published = [published_number(paper, method, column.name) for method in common]
    theirs = [value[0] for value in published if value is not None]
    if len(theirs) < 3 or len(theirs) < len(common):
        return
    found = order_agreement(theirs, np.array([values[method] for method in common]), np.random.default_rng(0))
    if math.isnan(found.tau):
        return
    said = f"The order of {len(common)} methods by {column.name} against the paper's: Kendall's tau {signed(found.tau)}"
    fewest = min(int(np.isfinite(values[method]).sum()) for method in common)
    if found.interval is not None and fewest > 1:  # a single seed has no spread
        said += (
            f"; in 95 % of {found.resamples:,} bootstrap samples of our seeds it is {span(found.interval)}, and the "
            f"whole order is the paper's in {100 * found.same:.0f} %"
        )
    yield f"{said}."
