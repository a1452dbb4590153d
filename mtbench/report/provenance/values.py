"""Values of runs behind a number of a summary table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mtbench.report.data.columns import Column, scores
from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.summary.quantities import Number
from mtbench.report.page.layout import Seeds
from mtbench.report.page.words import task_head

__all__ = ["TERMS", "Made", "columns_with_values", "spread", "values_of"]

TERMS = 12
"""The largest number of metrics whose values are listed beside those that are made of them."""


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


def spread(number: Number) -> str:
    """Return in words what is made of the values of runs."""
    if number.n is None or not number.says:
        return "there is no number"
    if not number.std:
        return "one run"
    return f"mean ± standard deviation (divisor n - 1) over {number.n} runs"


def columns_with_values(comparison: Comparison, columns: Sequence[Column]) -> Iterator[tuple[str, Seeds]]:
    """Yield the head of each column, with its unit where units are unlike, and the values of all runs in it."""
    mixed = len({(each.metric, each.unit, each.higher_is_better) for each in columns}) > 1
    for each in columns:
        values = scores(comparison, each)
        task = "" if each.is_mean else each.name
        yield (
            task_head(each) if mixed else each.name,
            values_of(task, each.unit, each.higher_is_better, comparison, values),
        )


def values_of(task: str, unit: str, higher: bool, comparison: Comparison, values: Iterable[Iterable[float]]) -> Seeds:
    """Return the values of all runs in a column.

    Args:
        task: the task of the column; empty if it is of none.
        unit: the unit of the values.
        higher: True if higher is better.
        comparison: the runs.
        values: for each method the values of its seeds, NaN where a run lacks.
    """
    named = zip(comparison.methods, values, strict=True)
    return Seeds(
        task=task,
        unit=unit,
        higher_is_better=higher,
        values={method.title: tuple(map(float, of_seeds)) for method, of_seeds in named},
    )
