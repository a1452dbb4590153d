"""The runs that may stand in one table: those of one dataset under one protocol."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mtbench.contract import Metric, TrainingProtocol
from mtbench.contract.options import render_value
from mtbench.contract.options.files import with_short_hashes
from mtbench.plan.spec import RunSpec, folder_name
from mtbench.report.data.reading import Reading
from mtbench.report.text import rounded, slug
from mtbench.store.record import Record, TaskInfo
from mtbench.store.status import TRUST, RunStatus

__all__ = ["Comparison", "MethodRuns", "compare"]


@dataclass(frozen=True, kw_only=True)
class MethodRuns:
    """The runs of one method, by seed.

    Attributes:
        title: the name of the method for people; unique within one comparison.
        runs: each run that was asked for once, in the order of the seeds.
        seeds: the number of seeds that a suite asks for; 0 without a suite.
    """

    title: str
    runs: tuple[RunStatus, ...]
    seeds: int = 0

    @property
    def planned(self) -> int:
        """The number of runs that there should be."""
        return max(len(self.runs), self.seeds)

    @cached_property
    def records(self) -> dict[int, Record]:
        """The records that finished runs left, stale ones among them, by seed."""
        return {run.spec.seed: run.record for run in self.runs if run.record is not None}

    @property
    def apart(self) -> dict[str, tuple[str, str]]:
        """The settings of the protocol that a preset of the method changed: its value, and that of all other rows."""
        specs = [run.spec for run in self.runs]
        return {
            name: (render_value(getattr(spec.protocol, name)), value)
            for spec in specs
            for name, value in spec.titles.apart.items()
        }

    @property
    def stale(self) -> bool:
        """True if any of its numbers is of a stale run."""
        return any(run.state == "stale" for run in self.runs)

    @property
    def grown(self) -> bool:
        """True if any of its numbers is of a seed that was added after a look at others (see `RunStatus`)."""
        return any(run.added and run.record is not None for run in self.runs)

    def tested(self, tasks: Sequence[TaskInfo], seeds: Sequence[int]) -> NDArray[np.float64]:
        """(S, T) the primary test metrics of the reported epoch, NaN where there is no finished run or it lacks the
        task."""
        return self.measured([(task.name, task.metric) for task in tasks], seeds)

    def measured(self, metrics: Sequence[tuple[str, str]], seeds: Sequence[int]) -> NDArray[np.float64]:
        """Return test metrics of the reported epoch, NaN where there is no finished run or it lacks one.

        Args:
            metrics: M pairs of a task's name and a metric's.
            seeds: S of them.

        Returns:
            (S, M).
        """
        values = np.full((len(seeds), len(metrics)), np.nan)
        for column, pair in enumerate(metrics):
            known = self._values(pair)
            values[:, column] = [known.get(seed, math.nan) for seed in seeds]
        return values

    def _values(self, pair: tuple[str, str]) -> dict[int, float]:
        """Return a test metric by seed, of the runs that have a record: read from each once, since every average of Δm
        needs it."""
        if pair not in self._read:
            self._read[pair] = {seed: record.value(*pair) for seed, record in self.records.items()}
        return self._read[pair]

    @cached_property
    def _read(self) -> dict[tuple[str, str], dict[int, float]]:
        return {}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The runs of one dataset under one protocol.

    Attributes:
        dataset: the dataset as on the command line, options included; a file by its whole hash.
        folder: the dataset's name as part of a path.
        title: the name of the training protocol for people; unique among comparisons on one dataset.
        slug: the protocol's title as part of a file name.
        protocol: its settings.
        tasks: in the dataset's order; empty if no run has finished.
        methods: in alphabetical order.
        reading: the rules by which test metrics were read, where not those of the reported weights; else None.
        tuned: True if each method has the settings that a search chose for it, in place of its defaults.
    """

    dataset: str
    folder: str
    title: str
    slug: str
    protocol: TrainingProtocol
    tasks: tuple[TaskInfo, ...]
    methods: tuple[MethodRuns, ...]
    reading: Reading | None = None
    tuned: bool = False

    @property
    def dataset_title(self) -> str:
        """The dataset as pages show it: with the first digits of the hash of each file."""
        return with_short_hashes(self.dataset)

    @property
    def quick(self) -> bool:
        """True if it is a preview, not a result."""
        return self.protocol.name == "quick"

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of all its runs, finished or not."""
        return tuple(sorted({run.spec.seed for method in self.methods for run in method.runs}))

    @cached_property
    def labels(self) -> dict[str, str]:
        """The names of methods in tables and figures, by title: with rounded numbers."""
        return rounded(method.title for method in self.methods)

    @property
    def common_metric(self) -> TaskInfo | None:
        """The first task, if all tasks have its metric, unit and direction, so that a mean over tasks has a meaning."""
        kinds = {(task.metric, task.unit, task.higher_is_better) for task in self.tasks}
        return self.tasks[0] if len(kinds) == 1 else None

    @property
    def shared_metrics(self) -> tuple[Metric, ...]:
        """The metrics that all tasks have, alike in unit and direction, so that their mean over tasks has a meaning."""
        return tuple(
            metric
            for metric in (self.tasks[0].metrics if self.tasks else ())
            if all(metric in task.metrics for task in self.tasks)
        )


def compare(statuses: Iterable[RunStatus]) -> list[Comparison]:
    """Sort runs into comparisons: datasets in alphabetical order, then protocols, without what presets change.

    Protocols are distinguished by their settings and methods by their parts, not by titles alone. A run that is there
    twice (as after an alias was renamed, which moves its folder) counts once, in its most trustworthy state.
    """
    known: dict[str, RunStatus] = {}
    for status in sorted(statuses, key=lambda status: TRUST.index(status.state)):
        known.setdefault(status.spec.id, status)
    groups: dict[tuple[str, str, TrainingProtocol], list[RunStatus]] = {}
    for status in sorted(known.values(), key=lambda status: (status.spec.titles.protocol, status.spec.id)):
        numbers = dataclasses.replace(status.spec.common_protocol, seeds=1)
        groups.setdefault((str(status.spec.dataset), status.spec.titles.protocol, numbers), []).append(status)
    comparisons: list[Comparison] = []
    for (dataset, title, protocol), runs in sorted(groups.items(), key=lambda item: item[0][:2]):
        siblings = [other for other in comparisons if other.dataset == dataset]
        unlike = [other.protocol for other in siblings if other.title == title]
        folder = folder_name(runs[0].spec.titles.dataset)  # cut off, so that long names may share one
        beside = {other.slug for other in comparisons if other.folder == folder}
        full = _distinct(protocol.label(unlike[0]) if unlike else title, {other.title for other in siblings})
        comparisons.append(
            Comparison(
                dataset=dataset,
                folder=folder,
                title=full,
                slug=_distinct(slug(full), beside),
                protocol=protocol,
                tasks=_tasks(runs),
                methods=_methods(runs),
            )
        )
    return comparisons


def _methods(runs: Sequence[RunStatus]) -> tuple[MethodRuns, ...]:
    parts: dict[str, list[RunStatus]] = {}
    for run in sorted(runs, key=lambda run: run.spec.seed):
        parts.setdefault(_parts(run.spec), []).append(run)
    titles = {key: group[0].spec.titles.method for key, group in parts.items()}
    shared = [title for title in titles.values() if list(titles.values()).count(title) > 1]
    methods = [
        MethodRuns(title=f"{titles[key]} [{key}]" if titles[key] in shared else titles[key], runs=tuple(group))
        for key, group in parts.items()
    ]
    return tuple(sorted(methods, key=lambda method: method.title))


def _parts(spec: RunSpec) -> str:
    """Return a method as its parts, with what a preset has changed of the protocol."""
    apart = [f"{name}={render_value(getattr(spec.protocol, name))}" for name in spec.titles.apart]
    return " ".join([f"{spec.network}+{spec.balancer}@{spec.backbone}", *apart])


def _tasks(runs: Sequence[RunStatus]) -> tuple[TaskInfo, ...]:
    tasks: dict[str, TaskInfo] = {}
    for run in sorted(runs, key=lambda run: TRUST.index(run.state)):
        for task in run.record.tasks if run.record else ():
            known = tasks.setdefault(task.name, task)
            if len(task.metrics) > len(known.metrics) == 1:  # a record of format 1 has the primary metric alone
                tasks[task.name] = task
    return tuple(tasks.values())


def _distinct(name: str, taken: set[str]) -> str:
    count = 2
    distinct = name
    while distinct in taken:
        distinct, count = f"{name}-{count}", count + 1
    return distinct
