"""Runs by a setting of the training protocol that a suite varies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mtbench.contract import TrainingProtocol
from mtbench.contract.options import render_value
from mtbench.plan.suite import Suite
from mtbench.report.data.columns import Column
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.page.suite import called

__all__ = ["Sweep", "Swept", "sweeps"]

_TASKS = 4
"""Tasks that are shown one by one, at most."""


@dataclass(frozen=True, kw_only=True)
class Swept:
    """The runs of a suite on one dataset, by the value of a number that is varied.

    Attributes:
        suite: the suite that they belong to.
        dataset: the dataset as in the suite.
        sheets: the sheets by value; more than one if parts of the suite's grid have that value in different ways.
    """

    suite: Suite
    dataset: str
    sheets: Mapping[str, tuple[Sheet, ...]]

    @cached_property
    def methods(self) -> dict[str, str]:
        """The names of methods in reports, by the suite's names and in its order."""
        return called(self.suite, self.all_sheets)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The tasks, then the mean over them if they share a metric; none if no run has finished."""
        return max((sheet.columns for sheet in self.all_sheets), key=len, default=())

    @property
    def main(self) -> tuple[Column, ...]:
        """The columns that tables have: the mean over tasks, or without one each task."""
        return tuple(column for column in self.columns if column.is_mean) or self.columns

    @property
    def single(self) -> tuple[Column, ...]:
        """Tasks that are shown one by one beside the mean over them: all, unless they are many or one alone."""
        tasks = tuple(column for column in self.columns if not column.is_mean)
        return tasks if 1 < len(tasks) <= _TASKS and len(self.main) == 1 else ()

    def scores(self, method: str, value: str, column: Column) -> NDArray[np.float64]:
        """Return the test metric per seed (S,), NaN where there is no finished run; of no seeds where no runs are."""
        for sheet in self.sheets.get(value, ()):
            if method in sheet.methods:
                return sheet.scores(column.name).get(method, np.empty(0))
        return np.empty(0)

    @property
    def all_sheets(self) -> list[Sheet]:
        """The sheets of every value."""
        return [sheet for sheets in self.sheets.values() for sheet in sheets]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A setting of the training protocol, its values, and the runs on each dataset.

    Attributes:
        setting: its name.
        fixed: other numbers that these parts of the suite's grid set, as texts.
        values: in ascending order, or as the suite has them where they are no quantities.
        parts: per dataset.
    """

    setting: str
    fixed: tuple[tuple[str, str], ...]
    values: tuple[str, ...]
    parts: tuple[Swept, ...]

    @property
    def words(self) -> str:
        """The setting that is varied, and those that are fixed."""
        return self.setting + "".join(f", {name}={value}" for name, value in self.fixed)

    @property
    def meaning(self) -> str:
        """The meaning of the setting, as the protocol says it."""
        (found,) = (field for field in fields(TrainingProtocol) if field.name == self.setting)
        return str(found.metadata["help"])

    @property
    def axis(self) -> str:
        """The name of an axis over its values; of quantities it says in short what they are."""
        short = re.split("[:;,]", self.meaning)[0]
        return f"{self.setting} ({short})" if _quantities(self.setting, self.values) else self.setting

    @property
    def at(self) -> tuple[float, ...]:
        """Places on an axis: the values themselves, or without quantities their numbers."""
        return tuple(map(float, self.values)) if _quantities(self.setting, self.values) else _numbers(self.values)

    @property
    def log(self) -> bool:
        """True if the axis is better logarithmic, for values that differ tenfold."""
        return _quantities(self.setting, self.values) and self.at[-1] >= 10 * self.at[0]


def sweeps(runs: SuiteRuns) -> list[Sweep]:
    """Return each number that a suite's grid varies, once for each of the settings under which it does so.

    Runs of the same methods' that are not varied, but would have a place among them, count at the protocol's own value.
    """
    found: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, list[str]]] = {}
    for part in runs.suite.grid:
        fixed = tuple(sorted((name, render_value(value)) for name, value in part.set.items()))
        for setting, values in part.vary.items():
            datasets = found.setdefault((setting, fixed), {})
            for dataset in part.datasets:
                datasets.setdefault(dataset, []).extend(map(render_value, values))
    return [_sweep(runs, setting, fixed, datasets) for (setting, fixed), datasets in found.items()]


def _sweep(
    runs: SuiteRuns, setting: str, fixed: tuple[tuple[str, str], ...], datasets: Mapping[str, list[str]]
) -> Sweep:
    parts = []
    for dataset, values in datasets.items():
        sheets: dict[str, tuple[Sheet, ...]] = dict.fromkeys(values, ())
        for sheet in (sheet for sheet in runs.sheets if sheet.dataset == dataset):
            variation = dict(sheet.variation)
            value = variation.pop(setting, render_value(getattr(sheet.comparison.protocol, setting)))
            if tuple(sorted(variation.items())) == fixed:
                sheets[value] = (*sheets.get(value, ()), sheet)
        parts.append(Swept(suite=runs.suite, dataset=dataset, sheets=sheets))
    values = list(dict.fromkeys(value for part in parts for value in part.sheets))
    if _quantities(setting, values):
        values.sort(key=float)
    return Sweep(setting=setting, fixed=fixed, values=tuple(values), parts=tuple(parts))


def _quantities(setting: str, values: Sequence[str]) -> bool:
    """Return whether values have distances: they are numbers, and 0, which often means that there is none, is not among
    them."""
    default = getattr(TrainingProtocol(), setting)
    return isinstance(default, int | float) and not isinstance(default, bool) and all(float(v) > 0 for v in values)


def _numbers(values: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(map(float, range(len(values))))
