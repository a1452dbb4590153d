"""The table of the cost of methods over the number of tasks."""

from mtbench.report.data.cost.expense import expense
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.scaling.data import Point, Scale
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.suite import warnings
from mtbench.report.page.words import DASH, plain
from mtbench.report.text import counted, fixed, memory, ratio

__all__ = ["costs_page"]

_HEADER = ("method", "dataset", "tasks", "weights", "#P", "MACs one", "MACs all", "memory", "s/epoch")


def costs_page(runs: SuiteRuns, scale: Scale, label: str) -> Page:
    """Return a row per method and dataset: what it has, what an answer takes, and what its training took."""
    lines = [
        plain((title, point.dataset, str(point.tasks), *_cost(point, method)))
        for method, title in scale.titles.items()
        for point in scale.points
        if method in point.methods
    ]
    untrained = any(not _is_trained(point, method) for point in scale.points for method in point.methods)
    return Page(
        title=f"{runs.suite.name}: cost over the number of tasks{scale.words}, size {runs.size}",
        label=label,
        quick=runs.quick,
        layout=Layout(header=_HEADER, lines=tuple(lines), tasks=0, costs=0),
        caption=(f"{runs.suite.title}{scale.words}, size {runs.size}: cost over the number of tasks.",),
        details=(
            "Weights: number without biases; #P: the same, relative to the single-task network.",
            "MACs: multiply-accumulates of the predictions for one example, of one task and of all tasks.",
            "Memory: peak memory, maximum over runs; s/epoch: seconds of training per epoch, median over runs.",
            *(["Rows without memory were counted, not trained."] if untrained else []),
        ),
        footnotes=warnings(scale.titles.values()),
    )


def _is_trained(point: Point, method: str) -> bool:
    found = point.sheet.runs(method) if point.sheet else None
    return bool(found and found.records)


def _cost(point: Point, method: str) -> tuple[str, ...]:
    size, found = point.size(method), point.sheet.runs(method) if point.sheet else None
    spent = expense(found, None) if found else None
    has = (
        (f"{size.weights:,}", ratio(size.relative), counted(size.macs_per_task), counted(size.macs_per_input))
        if size
        else (DASH,) * 4
    )
    took = (memory(spent.memory), DASH if spent.seconds is None else fixed(spent.seconds)) if spent else (DASH, DASH)
    return (*has, *took)
