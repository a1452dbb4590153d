"""Published numbers of pairs of tasks beside ours: update compliance ratios, and distances of modulation vectors."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from mtbench.plan.suite import Relation
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import STALE
from mtbench.report.page.words import DASH, plain, written
from mtbench.report.text import fixed
from mtbench.stats.summary import summarize
from mtbench.store.record import DISTANCE, CurvePoint, Record

if TYPE_CHECKING:  # planning a suite imports torch, and a page of distances has no suite
    from mtbench.report.data.suite.runs import Sheet, SuiteRuns

__all__ = ["distance", "relation_pages"]

Read: TypeAlias = Callable[[Record, str, str], float]
"""From a record and two tasks to the number of the pair, NaN where there is none."""

_EXPLAINED = {
    "compliance": (
        "Update compliance ratio (UCR, %): fraction of the mini-batches of an epoch in which the gradients of two "
        "tasks have a positive inner product in their shared parameters.",
        "Ours: at the last epoch in which it was measured; null: the same task on the two halves of a batch, mean of "
        "the two tasks. The ratio and the null fall with the loss, so that the numbers of the paper and ours are not "
        "compared; another table compares methods at equal loss.",
    ),
    "distance": (
        "Distance of modulation vectors: mean absolute difference of the modulation vectors of two tasks.",
        "Ours: after training. The paper does not state over which layers and how it averages, so that its numbers and "
        "ours are not compared.",
    ),
}


def relation_pages(runs: "SuiteRuns", sheet: "Sheet") -> Iterator[Page]:
    """Yield a table of pairs for each quantity that was published of them."""
    for relation in sheet.relations:
        columns = _columns(relation)
        digits = 2 if relation.quantity == "compliance" else 3
        methods = [method for method in sheet.methods if method in relation.rows]
        methods += [method for method in relation.rows if method not in methods]
        stale = any((found := sheet.runs(method)) and found.stale for method in methods)
        heads = [
            f"{runs.suite.labels.get(method, method)} {what}" for method in methods for what in ("paper", *columns)
        ]
        lines = [
            plain((pair, *(cell for method in methods for cell in _cells(sheet, relation, method, pair, digits))))
            for pair in relation.pairs
        ]
        yield Page(
            title=f"{runs.suite.name}: {sheet.comparison.dataset}, protocol {sheet.comparison.title}, "
            f"{relation.quantity} of pairs beside the paper",
            label=f"{runs.stem(sheet)}-{relation.quantity}-paper",
            quick=runs.quick,
            layout=Layout(
                header=("pair", *heads), lines=tuple(lines), tasks=len(heads), costs=0, together=1 + len(columns)
            ),
            caption=(
                f"{_EXPLAINED[relation.quantity][0]} Ours: mean ± standard deviation over seeds. Paper: "
                f"{relation.source or runs.suite.source}; several numbers where it prints several.",
            ),
            details=(_EXPLAINED[relation.quantity][1],),
            footnotes=(STALE,) if stale else (),
        )


def compliance(record: Record, one: str, other: str) -> float:
    """Return the update compliance ratio in % of two tasks at the last epoch that it was measured in; of one task
    twice, its null."""
    points = [point for point in record.curve if point.conflict is not None]
    return _ratio(points[-1], [task.name for task in record.tasks], one, other) if points else math.nan


def distance(record: Record, one: str, other: str) -> float:
    """Return the distance of the modulation vectors of two tasks."""
    names = (f"{DISTANCE}{one}/{other}", f"{DISTANCE}{other}/{one}")
    return next((record.measurements[name].value for name in names if name in record.measurements), math.nan)


def _null(record: Record, one: str, other: str) -> float:
    return (compliance(record, one, one) + compliance(record, other, other)) / 2


def _ratio(point: CurvePoint, names: Sequence[str], one: str, other: str) -> float:
    if point.conflict is None or not {one, other} <= set(names):
        return math.nan
    return point.conflict.ucr[names.index(one)][names.index(other)]


def _columns(relation: Relation) -> dict[str, Read]:
    """Return by head what stands behind the paper's number."""
    return {"ours": compliance, "null": _null} if relation.quantity == "compliance" else {"ours": distance}


def _cells(sheet: "Sheet", relation: Relation, method: str, pair: str, digits: int) -> Iterator[str]:
    published = relation.values(method, pair)
    yield " / ".join(fixed(value, digits) for value in published) or DASH
    runs: MethodRuns | None = sheet.runs(method)
    one, _, other = pair.partition("/")
    for read in _columns(relation).values():
        values = [read(record, one, other) for record in runs.records.values()] if runs else []
        yield written(summarize([value for value in values if not math.isnan(value)]), digits)
