"""The parts of a suite that contain published numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict

from mtbench.plan.suite.settings import Number, Seeds, Setting

__all__ = ["MEAN", "PaperTable", "Relation"]

MEAN = "mean"
"""The name of the mean over tasks among the columns of a table."""


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """Published numbers.

    Attributes:
        dataset: the dataset of the numbers, as in the grid.
        columns: names of tasks, or ``mean``.
        rows: for each method a value per column: the mean alone, or mean and standard deviation.
        metric: the metric of the numbers, if not the tasks' primary metric; such numbers are printed beside ours, and
            no claim is about them.
        n: number of repeats behind each number; 0 if the paper does not say.
        set: the variation of the grid that they belong to.
        source: the source of the numbers, if not the suite's.
        delta: the convention of the paper's own Δm, as ``metric/drop``: its average and its sign, as for ``mtbench
            report --delta`` and ``--delta-sign``; empty if the paper has none.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dataset: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Number | tuple[Number, Number], ...]]
    metric: str = ""
    n: Seeds = 0
    set: Mapping[str, Setting] = field(default_factory=dict)
    source: str = ""
    delta: Literal["", "task/gain", "task/drop", "metric/gain", "metric/drop", "main/gain", "main/drop"] = ""

    def number(self, method: str, column: str) -> tuple[float, float | None] | None:
        """Return the published mean and standard deviation; None for each that is not published."""
        if method not in self.rows or column not in self.columns:
            return None
        value = self.rows[method][self.columns.index(column)]
        return value if isinstance(value, tuple) else (value, None)


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Published numbers of pairs of tasks, which are printed beside ours and not compared.

    Attributes:
        dataset: the dataset of the numbers, as in the grid.
        quantity: ``compliance``, the update compliance ratio in %, which is measured with ``diagnostics =
            ["conflict"]``; or ``distance``, that of the vectors by which two tasks modulate a network.
        pairs: the names of two tasks each, as in ``smiling/young``.
        rows: for each method a value for each pair; several values if the paper prints several for a pair.
        set: the variation of the grid that they belong to.
        source: the source of the numbers, if not the suite's.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dataset: str
    quantity: Literal["compliance", "distance"]
    pairs: tuple[str, ...]
    rows: Mapping[str, tuple[Number | tuple[Number, ...], ...]]
    set: Mapping[str, Setting] = field(default_factory=dict)
    source: str = ""

    def values(self, method: str, pair: str) -> tuple[float, ...]:
        """Return the published values of a method and a pair."""
        if method not in self.rows:
            return ()
        value = self.rows[method][self.pairs.index(pair)]
        return value if isinstance(value, tuple) else (value,)
