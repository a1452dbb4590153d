"""Gains over single-task networks, in the values of runs that they are made of."""

from dataclasses import replace

from mtbench.report.data.choices import AVERAGES, Convention
from mtbench.report.data.columns import column_of
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.gains.relative import delta_terms, deltas, error_changes, single_task_runs
from mtbench.report.exhibits.summary.data import Table
from mtbench.report.exhibits.summary.gain_caption import gain_details
from mtbench.report.exhibits.summary.quantities import Number
from mtbench.report.provenance.values import TERMS, Made, columns_with_values, spread, values_of

__all__ = ["made_error", "made_gain"]


def made_gain(comparison: Comparison, table: Table, average: str, number: Number, place: int) -> Made:
    """Return what a Δm is made of.

    Args:
        comparison: the runs.
        table: their summary table.
        average: the average, if not that of the table.
        number: the number.
        place: the place of the method among those of the comparison.
    """
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
            f"of {base}; {spread(number)}.",
            "" if number.says else _no_gain(comparison, table, convention, place),
        ),
        values={
            "Δm": values_of("", "%", convention.sign == "gain", comparison, gains),
            **(dict(columns_with_values(comparison, columns)) if len(columns) <= TERMS else {}),
        },
        others=_partner(comparison, place) if reference is None else (),
        unit="%",
    )


def made_error(comparison: Comparison, table: Table, number: Number, place: int) -> Made:
    """Return what a Δerr is made of; the arguments are those of `made_gain`."""
    columns = [column_of(task.name, task.metrics[0]) for task in comparison.tasks]
    return Made(
        says=(
            "Mean over tasks of 100 (E - F) / F, where E is the run's error rate (100 minus its metric) and F that of "
            f"the run of {table.single} of the same seed; {spread(number)}.",
        ),
        values={
            "Δerr": values_of("", "%", False, comparison, error_changes(comparison)),
            **(dict(columns_with_values(comparison, columns)) if len(columns) <= TERMS else {}),
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
