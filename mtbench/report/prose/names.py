r"""Names of numbers in sentences: ``\mtb{mmnist3}{td}{mean}``.

A number has three names: of its table, of the method as on the command line, and of the column. A table has the name of
its dataset and training protocol, ``mmnist3, paper``; that of the dataset alone stands for its only table that is no
preview. So a name never comes to mean another number: where a second table is added the short name is refused.
"""

from collections.abc import Sequence

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibit import Results
from mtbench.report.page.latex import spelled

__all__ = ["KINDS", "macro", "method_names", "short_name", "table_name"]

KINDS = ("", "sd", "n", "low", "high", "interval", "cell")
"""Endings of the macros: mean, standard deviation, number of runs, ends of the interval of the mean, the interval, and
all that the table's cell says."""


def macro(table: str, method: str, column: str, kind: str = "") -> str:
    r"""Return the call that prints a number in a sentence.

    Args:
        table: a name from `table_name` or `short_name`.
        method: a name from `method_names`, or the name of the constant prediction.
        column: the name of a `mtbench.report.exhibits.summary.quantities.Quantity`.
        kind: one of `KINDS`; empty for the number itself.

    Example:
        >>> macro("mmnist3", "td:channels=6", "mean", "sd")
        '\\mtbsd{mmnist3}{td:channels=6}{mean}'
    """
    return rf"\mtb{kind}" + "".join(f"{{{spelled(name)}}}" for name in (table, method, column))


def table_name(comparison: Comparison) -> str:
    """Return the name of a comparison's table, unique in a report: ``mmnist3, paper``."""
    return f"{comparison.dataset_title}, {comparison.title}"


def short_name(comparison: Comparison, beside: Sequence[Comparison]) -> str:
    """Return the shortest name of a comparison's table: that of the dataset alone if no other table may have it.

    Args:
        comparison: a comparison.
        beside: all comparisons of the report.
    """
    candidates = [each for each in beside if _may_be_short(each) and each.dataset_title == comparison.dataset_title]
    alone = len(candidates) == 1 and candidates[0] is comparison
    return comparison.dataset_title if alone else table_name(comparison)


def method_names(results: Results, comparison: Comparison) -> tuple[str, ...]:
    """Return the names of a comparison's methods as on the command line, or in a suite as in its file, in the order of
    its methods."""
    sheet = results.sheet(comparison)
    return sheet.methods if sheet else tuple(method.title for method in comparison.methods)


def _may_be_short(comparison: Comparison) -> bool:
    return not comparison.quick and comparison.reading is None
