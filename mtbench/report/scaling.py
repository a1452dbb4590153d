"""A suite over datasets with ever more tasks: what methods do, and what they cost, as the number of tasks grows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtbench.report.caption import QUICK
from mtbench.report.exhibit import Exhibit, called, measured, warnings
from mtbench.report.layout import DASH, Layout, Page, plain, written
from mtbench.report.magnitude import Magnitude, magnitude
from mtbench.report.relative import deltas, single_task_runs
from mtbench.report.scaling_figure import Panel, draw_scaling
from mtbench.report.suite import Sheet, SuiteRuns
from mtbench.report.table import Column
from mtbench.report.text import counted, counts, decimals, ratio, slug
from mtbench.stats.summary import Summary, summarize

__all__ = ["Scale", "scaling_exhibits"]

_COLUMNS = [
    *("suite", "size", "dataset", "variation", "tasks", "method", "metric", "unit", "n", "mean", "std"),
    *("t95_low", "t95_high", "delta_m_n", "delta_m", "delta_m_std", "delta_m_t95_low", "delta_m_t95_high"),
    *("weights", "parameter_ratio", "macs_per_task", "macs_per_input"),
]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Sheets with unlike numbers of tasks under one variation of the protocol.

    Attributes:
        variation: the numbers of the protocol that the suite's grid sets for them, as texts.
        sheets: those of which a run has finished, by number of tasks.
    """

    variation: tuple[tuple[str, str], ...]
    sheets: tuple[Sheet, ...]

    @property
    def words(self) -> str:
        """The variation in words; empty if there is none."""
        return "".join(f", {name}={value}" for name, value in self.variation)

    @property
    def column(self) -> Column | None:
        """The mean over tasks; None unless the tasks of all datasets share a metric."""
        means = [column for sheet in self.sheets for column in sheet.columns if column.is_mean]
        return means[0] if len(means) == len(self.sheets) and len(set(means)) == 1 else None

    @property
    def single(self) -> str:
        """The single-task method that Delta_m is relative to; empty if there is none."""
        found = [single_task_runs(sheet.comparison) for sheet in self.sheets]
        return next((each.title for each in found if each), "")

    def means(self, sheet: Sheet, method: str) -> NDArray[np.float64]:
        """The mean over tasks per seed (S,), NaN where there is none; of no seeds where the method is not."""
        return sheet.scores(self.column.name).get(method, np.empty(0)) if self.column else np.empty(0)

    def gains(self, sheet: Sheet, method: str) -> NDArray[np.float64]:
        """Delta_m per seed (S,) in %, likewise."""
        return dict(zip(sheet.methods, deltas(sheet.comparison), strict=True)).get(method, np.empty(0))


def scaling_exhibits(runs: SuiteRuns) -> list[Exhibit]:
    """A figure over the number of tasks, pages of what methods do and of what they cost, and the numbers behind."""
    exhibits = []
    for variation in dict.fromkeys(sheet.variation for sheet in runs.sheets):
        sheets = [sheet for sheet in runs.sheets if sheet.variation == variation and sheet.comparison.tasks]
        scale = Scale(variation=variation, sheets=tuple(sorted(sheets, key=lambda sheet: len(sheet.comparison.tasks))))
        if not sheets:
            continue
        name = "-".join(["tasks", *(slug(f"{key}-{value}") for key, value in variation)])
        pages = (_results(runs, scale, f"{runs.slug}-{name}"), _costs(runs, scale, f"{runs.slug}-{name}-cost"))
        draw = partial(_draw, runs, scale)
        exhibits.append(Exhibit(name=name, pages=pages, frame=_frame(runs, scale), draw=draw))
    return exhibits


def _draw(runs: SuiteRuns, scale: Scale) -> Figure:
    def sized(of: Callable[[Magnitude], float]) -> Callable[[Sheet, str], NDArray[np.float64]]:
        def values(sheet: Sheet, method: str) -> NDArray[np.float64]:
            found = magnitude(sheet.runs(method))
            return np.array([of(found)] if found else [])

        return values

    results = [Panel(title="mean over tasks", column=scale.column, values=scale.means)] if scale.column else []
    if scale.single:
        results.append(Panel(title=f"gain over {scale.single}", label="Δm (%)", values=scale.gains, zero=True))
    costs = [
        Panel(
            title="weights",
            label="relative to single-task",
            sign="\N{MULTIPLICATION SIGN}",
            values=sized(lambda size: size.relative),
        ),
        Panel(title="to answer one task", label="MACs", values=sized(lambda size: size.macs_per_task), cost=True),
        Panel(title="to answer all tasks", label="MACs", values=sized(lambda size: size.macs_per_input), cost=True),
    ]
    return draw_scaling(runs, scale.sheets, scale.words, [*results, *costs])


def _results(runs: SuiteRuns, scale: Scale, label: str) -> Page:
    """A row per method; per dataset the mean over tasks, then per dataset Delta_m."""
    heads = [_head(sheet) for sheet in scale.sheets]
    of = [*([scale.means] if scale.column else []), *([scale.gains] if scale.single else [])]
    header = [f"{sign}{head}" for sign in (["", "Δm "] if scale.column else ["Δm "])[: len(of)] for head in heads]
    titles, lines = called(runs.suite, scale.sheets), []
    means = [summarize(scale.means(sheet, method)) for sheet in scale.sheets for method in titles]
    unit = scale.column.unit if scale.column else "%"
    places = [2 if values == scale.gains else decimals([each.mean for each in means if each.n], unit) for values in of]
    for method, title in titles.items():
        line = [title]
        for values, digits in zip(of, places, strict=True):
            summaries = [summarize(values(sheet, method)) for sheet in scale.sheets]
            line += [written(each, digits, sign=values == scale.gains) for each in summaries]
        finished = [len(found.records) if (found := sheet.runs(method)) else 0 for sheet in scale.sheets]
        lines.append(plain((*line, counts(finished))))
    gain = f"Δm: the mean over tasks of the relative gain over {scale.single} of the same seed and backbone, in %."
    return Page(
        title=f"{runs.suite.name}: over the number of tasks{scale.words}, size {runs.size}",
        label=label,
        quick=runs.quick,
        layout=Layout(header=("method", *header, "n"), lines=tuple(lines), tasks=len(header), costs=0),
        caption=(
            *([QUICK] if runs.quick else []),
            f"Suite {runs.suite.name}: {runs.suite.title}{scale.words}, size {runs.size}.",
            *([measured(scale.column, scale.sheets)] if scale.column else []),
            *([gain] if scale.single else []),
            "± is the standard deviation over n seeds (divisor n-1); n: seeds, of each dataset where they differ.",
            "In brackets: how many tasks. Datasets with more may be harder: compare methods within a column.",
        ),
        footnotes=warnings(titles.values()),
    )


def _costs(runs: SuiteRuns, scale: Scale, label: str) -> Page:
    """A row per method; per dataset its weights, then the multiply-accumulates for one task, then for all."""
    heads = [_head(sheet) for sheet in scale.sheets]
    titles, lines = called(runs.suite, scale.sheets), []
    for method, title in titles.items():
        sizes = [magnitude(sheet.runs(method)) for sheet in scale.sheets]
        line = [ratio(size.relative) if size else DASH for size in sizes]
        line += [counted(size.macs_per_task) if size else DASH for size in sizes]
        line += [counted(size.macs_per_input) if size else DASH for size in sizes]
        lines.append(plain((title, *line)))
    header = [f"{sign} {head}" for sign in ("#P", "MACs one", "MACs all") for head in heads]
    return Page(
        title=f"{runs.suite.name}: cost over the number of tasks{scale.words}, size {runs.size}",
        label=label,
        quick=runs.quick,
        layout=Layout(header=("method", *header), lines=tuple(lines), tasks=len(header), costs=0),
        caption=(
            *([QUICK] if runs.quick else []),
            f"Suite {runs.suite.name}: {runs.suite.title}{scale.words}, size {runs.size}.",
            "#P: weights, biases left out, relative to the single-task network.",
            "MACs: multiply-accumulates for one example, to answer one task and to answer all.",
            "In brackets: how many tasks.",
        ),
        footnotes=warnings(titles.values()),
    )


def _head(sheet: Sheet) -> str:
    return f"{sheet.dataset} ({len(sheet.comparison.tasks)})"


def _frame(runs: SuiteRuns, scale: Scale) -> pd.DataFrame:
    """One row per dataset and method."""
    rows = [
        {
            "suite": runs.suite.name,
            "size": runs.size,
            "dataset": sheet.dataset,
            "variation": ", ".join(f"{name}={value}" for name, value in scale.variation),
            "tasks": len(sheet.comparison.tasks),
            "method": method,
            "metric": scale.column.metric if scale.column else None,
            "unit": scale.column.unit if scale.column else None,
            **dict(_numbers(summarize(scale.means(sheet, method)), ("n", "mean", "std", "t95_low", "t95_high"))),
            **dict(_numbers(summarize(scale.gains(sheet, method)), [name for name in _COLUMNS if "delta_m" in name])),
            **_sizes(magnitude(sheet.runs(method))),
        }
        for sheet in scale.sheets
        for method in sheet.methods
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
