"""The values of runs that a number of a summary table is made of, and what was made of them in words."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from mtbench.report.data.columns import Column, column_of
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.cost.expense import Spent, spent
from mtbench.report.data.gains.rank import rank, ranked_means
from mtbench.report.data.gains.relative import delta_terms, deltas
from mtbench.report.exhibits.summary.data import Table
from mtbench.report.exhibits.summary.quantities import RANK_INTERVAL, Number, Quantity
from mtbench.report.exhibits.summary.rank_caption import rank_details, rank_footnote
from mtbench.report.page.sentences import reported
from mtbench.report.provenance.gains import made_error, made_gain
from mtbench.report.provenance.values import TERMS, Made, columns_with_values, spread, values_of
from mtbench.report.text import listed
from mtbench.stats.ranking import mean_ranks

__all__ = ["made", "made_of_constant"]

_GAIN, _ERROR, _RANK = "delta-m", "delta-err", "rank"
"""Names of columns, see `mtbench.report.exhibits.summary.quantities.quantities`."""
_COSTS: Mapping[str, tuple[str, str, Callable[[Spent], float], str]] = {
    "params": (
        "#P",
        "",
        lambda run: run.parameter_ratio,
        "Number of weights without biases over that of the single-task network, of the run with the largest seed.",
    ),
    "macs": (
        "MACs",
        "",
        lambda run: run.macs,
        "Multiply-accumulates of the predictions of all tasks for one example, of the run with the largest seed.",
    ),
    "labels": (
        "labels",
        "",
        lambda run: run.label_uses,
        "Number of labels that entered a loss in training, mean over runs.",
    ),
    "time": (
        "s/epoch",
        "s",
        lambda run: run.seconds,
        "Seconds of {clock} of training per epoch without evaluation, median over runs.",
    ),
    "memory": ("memory", "bytes", lambda run: run.memory, "Peak memory in bytes, maximum over runs."),
}
"""The head, the unit, the value of a run and the sentence of each column of costs."""


def made(comparison: Comparison, table: Table, quantity: Quantity, place: int) -> Made:
    """Return the values that a number is made of.

    Args:
        comparison: the runs.
        table: their summary table.
        quantity: a column of it, see `mtbench.report.exhibits.summary.quantities.quantities`.
        place: the place of the method among those of the comparison.
    """
    number, method = quantity.numbers[place], comparison.methods[place]
    if quantity.column:
        return _metric(comparison, quantity.column, number)
    kind, _, average = quantity.name.partition(" ")
    if kind == _GAIN:
        return made_gain(comparison, table, average, number, place)
    if kind == _ERROR:
        return made_error(comparison, table, number, place)
    if quantity.name in _COSTS:
        return _cost(comparison, table, quantity, method)
    if kind == _RANK:
        return _rank(comparison, place)
    if kind == RANK_INTERVAL:
        return _rank_interval(comparison, table)
    return Made(says=(f"Number of runs that have a record, of {method.planned} that are planned.",))


def made_of_constant(comparison: Comparison, quantity: Quantity) -> Made:
    """Return what the number of the constant prediction in a column is made of."""
    over = "mean over tasks; " if quantity.column and quantity.column.is_mean else ""
    count = sum(len(method.records) for method in comparison.methods)
    return Made(
        says=(
            "The best prediction that ignores its input, found from the training labels and measured on the test "
            f"split; {over}mean over the records of all {count} runs of the table.",
        ),
        unit=quantity.column.unit if quantity.column else "",
    )


def _metric(comparison: Comparison, column: Column, number: Number) -> Made:
    terms = [column]
    if column.is_mean:
        tasks = [task.name for task in comparison.tasks]
        of = {task.name: metric for task in comparison.tasks for metric in task.metrics if metric.name == column.metric}
        terms += [column_of(name, of[name]) for name in tasks]
    unit = f" in {column.unit}" if column.unit else ""
    when = comparison.reading.when if comparison.reading else reported([comparison.protocol])
    of_tasks = (
        f", mean over the {len(comparison.tasks)} tasks within each run" if column.is_mean else f" of {column.name}"
    )
    return Made(
        says=(f"Test {column.metric}{unit}{of_tasks}; {spread(number)}.", f"Measured {when}."),
        values=dict(columns_with_values(comparison, terms if len(terms) <= TERMS else [column])),
        unit=column.unit,
    )


def _rank(comparison: Comparison, place: int) -> Made:
    found = rank(comparison)
    if found is None:
        return Made(says=("There is no rank.",))
    terms = delta_terms(comparison.tasks, "metric")
    means = ranked_means(comparison, terms)
    means[np.isnan(means).any(axis=1)] = np.nan  # a method that lacks a metric is not ranked
    ranks = [float(mean_ranks(means[:, [at]], terms.higher[at : at + 1])[place]) for at in range(len(terms.pairs))]
    parts = (f"{metric} of {task} {one:g}" for (task, metric), one in zip(terms.pairs, ranks, strict=True))
    return Made(
        says=(
            f"Mean over the {found.metrics} metrics in Δm of the rank of the method's mean over its runs, among the "
            f"means of {len(found.rows)} methods; 1 is best, ties share their mean rank.",
            f"Ranks: {listed(parts)}." if len(ranks) <= TERMS else "",
            f"Methods: {listed(found.rows)}.",
        ),
    )


def _rank_interval(comparison: Comparison, table: Table) -> Made:
    mean = next((column for column in table.columns if column.is_mean), None)
    gains = deltas(comparison, table.convention)
    ranked = {"Δm": values_of("", "%", table.convention.sign == "gain", comparison, gains)}
    return Made(
        says=(rank_details(comparison, table.ranks), rank_footnote(table.ranks)),
        values=dict(columns_with_values(comparison, [mean])) if mean else ranked,
    )


def _cost(comparison: Comparison, table: Table, quantity: Quantity, method: MethodRuns) -> Made:
    head, unit, of, says = _COSTS[quantity.name]
    others: tuple[str, ...] = ()
    if quantity.name == "time":
        on_cpu = all(record.numerics.device == "cpu" for record in method.records.values())
        says = says.format(clock="CPU time" if on_cpu else "elapsed time")
        if table.yardstick:
            others = (table.yardstick.method,) if table.yardstick.method != method.title else ()
            says = f"{says[:-1]}, over that of {table.yardstick.method}, {table.yardstick.seconds:.10g} s."
            unit = ""
    values = [
        [of(spent(each.records[seed])) if seed in each.records else math.nan for seed in comparison.seeds]
        for each in comparison.methods
    ]
    return Made(says=(says,), values={head: values_of("", unit, False, comparison, values)}, others=others, unit=unit)
