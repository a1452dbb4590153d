"""The values of runs that a number of a summary table is made of, and what was made of them in words."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mtbench.report.data.choices import AVERAGES, Convention
from mtbench.report.data.columns import Column, column_of, scores
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.cost.expense import Spent, spent
from mtbench.report.data.gains.rank import rank, ranked_means
from mtbench.report.data.gains.relative import delta_terms, deltas, error_changes, single_task_runs
from mtbench.report.exhibits.summary.data import Table
from mtbench.report.exhibits.summary.gain_caption import gain_details
from mtbench.report.exhibits.summary.quantities import RANK_INTERVAL, Number, Quantity
from mtbench.report.exhibits.summary.rank_caption import rank_details, rank_footnote
from mtbench.report.page.layout import Seeds
from mtbench.report.page.sentences import reported
from mtbench.report.page.words import task_head
from mtbench.report.text import listed
from mtbench.stats.ranking import mean_ranks

__all__ = ["Made", "made", "made_of_constant"]

_TERMS = 12
"""The largest number of metrics whose values are listed beside those that are made of them."""
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


@dataclass(frozen=True, kw_only=True)
class Made:
    """The origin of a number in the values of runs.

    Attributes:
        says: sentences on what was counted or measured, and what was made of it.
        values: values of runs by heads: first those that the number is made of, then those that these are made of;
            empty for a number that is of no values of single runs.
        others: titles of other methods whose runs it is made of too.
        unit: the unit of the number; may be empty.
    """

    says: tuple[str, ...]
    values: Mapping[str, Seeds] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    unit: str = ""

    def of(self, method: str) -> Sequence[float]:
        """Return the values of a method's runs that the number is made of, in the order of the comparison's seeds."""
        return next((seeds.values.get(method, ()) for seeds in self.values.values()), ())


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
        return _gain(comparison, table, average, number, place)
    if kind == _ERROR:
        return _error(comparison, table, number, place)
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
        says=(f"Test {column.metric}{unit}{of_tasks}; {_spread(number)}.", f"Measured {when}."),
        values=dict(_columns(comparison, terms if len(terms) <= _TERMS else [column])),
        unit=column.unit,
    )


def _gain(comparison: Comparison, table: Table, average: str, number: Number, place: int) -> Made:
    convention = replace(table.convention, average=average or table.convention.average)
    terms = delta_terms(comparison.tasks, convention.average)
    metrics = {(task.name, metric.name): metric for task in comparison.tasks for metric in task.metrics}
    columns = [column_of(task, metrics[task, name]) for task, name in terms.pairs]
    gains = deltas(comparison, convention)
    reference = comparison.reading.reference if comparison.reading else None
    has_many = len(terms.pairs) > len(comparison.tasks)
    mean = AVERAGES[convention.average].removeprefix("the ") if has_many else "mean over tasks"
    base = {
        "seed": f"the run of {table.single} of the same seed and backbone",
        "mean": f"the mean over the runs of {table.single}",
    }.get(convention.base, reference.words if reference else table.single)
    sign = "" if convention.sign == "gain" else "-"
    lower = "" if all(terms.higher) else ", with the other sign where lower is better"
    return Made(
        says=(
            f"{mean[0].upper()}{mean[1:]} of {sign}100 (M - B) / B{lower}, where M is the run's test metric and B that "
            f"of {base}; {_spread(number)}.",
            "" if number.says else _no_gain(comparison, table, convention, place),
        ),
        values={
            "Δm": _seeds("", "%", convention.sign == "gain", comparison, gains),
            **(dict(_columns(comparison, columns)) if len(columns) <= _TERMS else {}),
        },
        others=_partner(comparison, place) if reference is None else (),
        unit="%",
    )


def _error(comparison: Comparison, table: Table, number: Number, place: int) -> Made:
    columns = [column_of(task.name, task.metrics[0]) for task in comparison.tasks]
    return Made(
        says=(
            "Mean over tasks of 100 (E - F) / F, where E is the run's error rate (100 minus its metric) and F that of "
            f"the run of {table.single} of the same seed; {_spread(number)}.",
        ),
        values={
            "Δerr": _seeds("", "%", False, comparison, error_changes(comparison)),
            **(dict(_columns(comparison, columns)) if len(columns) <= _TERMS else {}),
        },
        others=_partner(comparison, place),
        unit="%",
    )


def _no_gain(comparison: Comparison, table: Table, convention: Convention, place: int) -> str:
    """Return why a method has no Δm."""
    if table.quick and table.rows[place].idle:
        return (
            f"Left out of a preview: in a task neither the method nor {table.single} is above the constant prediction."
        )
    return gain_details(comparison, table.single, convention, gap=0.0)


def _partner(comparison: Comparison, place: int) -> tuple[str, ...]:
    """Return the single-task method that a method is relative to, unless it is that one itself."""
    found = single_task_runs(comparison)
    return (found.title,) if found and found is not comparison.methods[place] else ()


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
            f"Ranks: {listed(parts)}." if len(ranks) <= _TERMS else "",
            f"Methods: {listed(found.rows)}.",
        ),
    )


def _rank_interval(comparison: Comparison, table: Table) -> Made:
    mean = next((column for column in table.columns if column.is_mean), None)
    gains = deltas(comparison, table.convention)
    ranked = {"Δm": _seeds("", "%", table.convention.sign == "gain", comparison, gains)}
    return Made(
        says=(rank_details(comparison, table.ranks), rank_footnote(table.ranks)),
        values=dict(_columns(comparison, [mean])) if mean else ranked,
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
    return Made(says=(says,), values={head: _seeds("", unit, False, comparison, values)}, others=others, unit=unit)


def _spread(number: Number) -> str:
    """Return in words what is made of the values of runs."""
    if number.n is None or not number.says:
        return "there is no number"
    if not number.std:
        return "one run"
    return f"mean ± standard deviation (divisor n - 1) over {number.n} runs"


def _columns(comparison: Comparison, columns: Sequence[Column]) -> Iterator[tuple[str, Seeds]]:
    mixed = len({(each.metric, each.unit, each.higher_is_better) for each in columns}) > 1
    for each in columns:
        values = scores(comparison, each)
        task = "" if each.is_mean else each.name
        yield (
            task_head(each) if mixed else each.name,
            _seeds(task, each.unit, each.higher_is_better, comparison, values),
        )


def _seeds(task: str, unit: str, higher: bool, comparison: Comparison, values: Iterable[Iterable[float]]) -> Seeds:
    named = zip(comparison.methods, values, strict=True)
    return Seeds(
        task=task,
        unit=unit,
        higher_is_better=higher,
        values={method.title: tuple(map(float, of_seeds)) for method, of_seeds in named},
    )
