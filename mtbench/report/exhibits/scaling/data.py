"""Datasets with unlike numbers of tasks, and what is known of methods on each: runs, or sizes that were counted."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.parse import parse_dataset
from mtbench.report.data.columns import Column
from mtbench.report.data.cost.magnitude import Magnitude, counted_magnitude, magnitude
from mtbench.report.data.gains.relative import deltas, single_task_runs
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.page.suite import called

__all__ = ["Point", "Scale", "scales"]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A dataset.

    Attributes:
        dataset: the dataset as in the suite.
        tasks: its number of tasks.
        sheet: its runs, of which one has finished; None if the suite trains nothing on it, or nothing has finished.
        counted: sizes of methods without runs, by the suite's name.
    """

    dataset: str
    tasks: int
    sheet: Sheet | None
    counted: Mapping[str, Magnitude]

    @property
    def head(self) -> str:
        """The dataset and how many tasks it has."""
        return f"{self.dataset} ({self.tasks})"

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of which anything is known, by the suite's names."""
        return tuple(dict.fromkeys((*(self.sheet.methods if self.sheet else ()), *self.counted)))

    def size(self, method: str) -> Magnitude | None:
        """Return how large a method is, by its runs if there are any."""
        found = magnitude(self.sheet.runs(method)) if self.sheet else None
        return found or self.counted.get(method)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Datasets with unlike numbers of tasks under one variation of the protocol.

    Attributes:
        variation: the settings of the training protocol that the suite's grid sets for them, as texts.
        points: the datasets, by number of tasks.
        titles: the names of methods for people, by the suite's names and in its order.
    """

    variation: tuple[tuple[str, str], ...]
    points: tuple[Point, ...]
    titles: Mapping[str, str]

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """The runs of those datasets on which one has finished."""
        return tuple(point.sheet for point in self.points if point.sheet)

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

    def means(self, point: Point, method: str) -> NDArray[np.float64]:
        """Return the mean over tasks per seed (S,), NaN where there is none; of no seeds where the method has no
        run."""
        if self.column is None or point.sheet is None:
            return np.empty(0)
        return point.sheet.scores(self.column.name).get(method, np.empty(0))

    def gains(self, point: Point, method: str) -> NDArray[np.float64]:
        """Delta_m per seed (S,) in %, likewise."""
        if point.sheet is None:
            return np.empty(0)
        return dict(zip(point.sheet.methods, deltas(point.sheet.comparison), strict=True)).get(method, np.empty(0))


def scales(runs: SuiteRuns) -> list[Scale]:
    """For each variation of the suite's grid its datasets, with those that are only counted; of variations of which a
    run has finished."""
    counted: dict[str, dict[str, Magnitude]] = {}
    for part in runs.suite.counted:
        for dataset in part.datasets:
            sizes = counted.setdefault(dataset, {})
            sizes.update((method, counted_magnitude(method, dataset)) for method in part.methods)
    found = []
    for variation in dict.fromkeys(sheet.variation for sheet in runs.sheets):
        sheets = {
            sheet.dataset: sheet for sheet in runs.sheets if sheet.variation == variation and sheet.comparison.tasks
        }
        if not sheets:
            continue
        points = [
            Point(
                dataset=dataset,
                tasks=len(sheets[dataset].comparison.tasks if dataset in sheets else parse_dataset(dataset).tasks()),
                sheet=sheets.get(dataset),
                counted=counted.get(dataset, {}),
            )
            for dataset in dict.fromkeys((*sheets, *counted))
        ]
        titles = called(runs.suite, sheets.values())
        for point in points:
            for method in point.counted:
                titles.setdefault(method, runs.suite.labels.get(method, method))
        ordered = tuple(sorted(points, key=lambda point: point.tasks))
        found.append(Scale(variation=variation, points=ordered, titles=titles))
    return found
