"""Tasks against each other: the points that a search found, and the methods beside them, in the space of the tasks.

Which points are the front is fixed by what they were worth on the validation split. On the test split they are looked
at and not chosen among, so that a test of a method against them is of points that were given beforehand.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.constant import BALANCED
from mtbench.report.data.gains.relative import single_task_runs
from mtbench.report.data.studies import StudyRuns, setting
from mtbench.stats.pareto import Dominance, dominance, front_probability, hypervolume
from mtbench.store.record import TaskInfo

__all__ = [
    "BRIEF",
    "Bounds",
    "Point",
    "Rival",
    "TradeOff",
    "dominated",
    "mean",
    "trade_off",
    "volume",
]


BRIEF = 30
"""Characters of a setting that can stand in a sentence; of longer ones the trial's number does."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A setting that a search tried.

    Attributes:
        number: the number of its trial.
        name: the setting in words; no two points share it.
        front: True if no other was better on the validation split.
        tried: (T,) what it was worth there.
        tested: (S, T) the test metric per seed, NaN where it was not retrained.
    """

    number: int
    name: str
    front: bool
    tried: NDArray[np.float64]
    tested: NDArray[np.float64]

    @property
    def known(self) -> bool:
        """True if anything is known of it on the test split."""
        return bool(np.isfinite(self.tested).any())


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A method beside the points.

    Attributes:
        title: its name for people.
        kin: True if it has the network and the backbone of the points.
        single: True if it is the single-task networks that others are relative to.
        tested: (S, T) the test metric per seed, NaN where there is none.
    """

    title: str
    kin: bool
    single: bool
    tested: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TradeOff:
    """A study with an objective per task, and the methods of its comparison.

    Attributes:
        comparison: the comparison of the same dataset and training protocol.
        study: the study; None if methods are shown alone.
        tasks: in the dataset's order.
        seeds: the S seeds of all that was tested.
        points: every trial that was done, the default first.
        rivals: methods with a finished run that are no points of a study, in the comparison's order.
    """

    comparison: Comparison
    study: StudyRuns | None
    tasks: tuple[TaskInfo, ...]
    seeds: tuple[int, ...]
    points: tuple[Point, ...]
    rivals: tuple[Rival, ...]

    @property
    def front(self) -> tuple[Point, ...]:
        """The points of the front of which something is known on the test split."""
        return tuple(point for point in self.points if point.front and point.known)

    @property
    def default(self) -> Point | None:
        """The first trial, if it was done."""
        return next((point for point in self.points if point.number == 0), None)

    @property
    def higher(self) -> tuple[bool, ...]:
        """(T,) the good directions."""
        return tuple(task.higher_is_better for task in self.tasks)

    @cached_property
    def bounds(self) -> "Bounds":
        """The bounds between which hypervolumes of these points and methods are counted."""
        return _bounds(self)

    @cached_property
    def shares(self) -> dict[int, float]:
        """The fraction of resamples of the seeds in which a point is on the test split's front of all points, by the
        number of each point that was retrained with two seeds and more."""
        return _front_shares(self)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Between what hypervolumes are counted, a value per task; None where a task has none.

    Attributes:
        ideal: the best that can be.
        chance: the accuracy of guessing, 100 % over the number of classes in the test split.
        nadir: the worst mean of any point or method that is shown.
    """

    ideal: tuple[float, ...] | None
    chance: tuple[float, ...] | None
    nadir: tuple[float, ...] | None


def trade_off(found: StudyRuns | None, comparison: Comparison, others: Sequence[StudyRuns] = ()) -> TradeOff:
    """Return the points of a study and what stands beside them.

    Args:
        found: None for methods alone.
        comparison: that of the study's dataset and protocol, see `mtbench.report.data.studies.home`.
        others: studies whose points, but for their defaults, are no methods either.
    """
    tried = {run.folder for other in others for number, runs in other.again.items() for run in runs if number}
    if found is not None:
        tried |= {run.folder for runs in found.again.values() for run in runs}
    methods = [method for method in comparison.methods if method.records and not _is_point(method, tried)]
    seeds = tuple(sorted({*(found.seeds if found else ()), *(seed for method in methods for seed in method.records)}))
    single = single_task_runs(comparison) if comparison.methods else None
    tasks = found.study.tasks if found else comparison.tasks
    return TradeOff(
        comparison=comparison,
        study=found,
        tasks=tasks,
        seeds=seeds,
        points=_points(found, seeds) if found else (),
        rivals=tuple(
            Rival(
                title=method.title,
                kin=found is not None and _is_kin(method, found),
                single=method is single,
                tested=method.tested(tasks, seeds),
            )
            for method in methods
        ),
    )


def _bounds(trade: TradeOff) -> Bounds:
    tested = [*(point.tested for point in trade.points), *(rival.tested for rival in trade.rivals)]
    means = [mean(values) for values in tested]
    known = np.array([values for values in means if np.isfinite(values).all()]).reshape(-1, len(trade.tasks))
    worst = np.where(trade.higher, known.min(axis=0), known.max(axis=0)) if len(known) else None
    return Bounds(
        ideal=_ideal(trade.tasks, known),
        chance=_chance(trade),
        nadir=None if worst is None else tuple(map(float, worst)),
    )


def volume(tested: Sequence[NDArray[np.float64]], reference: Sequence[float] | None, trade: TradeOff) -> float | None:
    """Return the share of the box from the reference to the ideal that the means of (S, T) each cover; None without a
    box."""
    ideal = trade.bounds.ideal
    if reference is None or ideal is None:
        return None
    gaps = (np.array(ideal) - np.array(reference)) * np.where(trade.higher, 1, -1)
    points = [means for means in map(mean, tested) if np.isfinite(means).all()]
    if not points or not (gaps > 0).all():
        return None
    return hypervolume(points, reference, maximize=trade.higher, ideal=ideal)


def dominated(tested: NDArray[np.float64], trade: TradeOff) -> Dominance | None:
    """Test whether values (S, T) are worse in every task than a point of the front; None if there is no front.

    Tests are paired if every point of the front shares two seeds and more with them, else Welch's.
    """
    if not trade.front:
        return None
    own = np.isfinite(tested).all(axis=1)
    shared = [int(np.count_nonzero(own & np.isfinite(point.tested).all(axis=1))) for point in trade.front]
    return dominance(tested, [point.tested for point in trade.front], matched=min(shared) > 1, maximize=trade.higher)


def _front_shares(trade: TradeOff) -> dict[int, float]:
    known = [point for point in trade.points if np.isfinite(point.tested).all(axis=1).sum() > 1]
    if not known:
        return {}
    values = np.array([point.tested for point in known])
    values = values[:, np.isfinite(values).any(axis=(0, 2))]  # seeds of rivals alone are no seeds of points
    shares = front_probability(values, np.random.default_rng(0), maximize=trade.higher)
    return {point.number: float(share) for point, share in zip(known, shares, strict=True)}


def mean(tested: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T,) the mean over seeds of values (S, T), NaN for a task without any."""
    known = np.isfinite(tested)
    sums, counts = np.where(known, tested, 0.0).sum(axis=0), known.sum(axis=0)
    means: NDArray[np.float64] = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return means


def _points(found: StudyRuns, seeds: Sequence[int]) -> tuple[Point, ...]:
    done = [trial for trial in found.study.trials if trial.values is not None]
    names = [setting(trial) for trial in done]
    return tuple(
        Point(
            number=trial.number,
            name=f"{name} (trial {trial.number})" if names.count(name) > 1 or len(name) > BRIEF else name,
            front=trial.front,
            tried=np.array([(trial.values or {})[task.name] for task in found.study.tasks]),
            tested=found.scores(trial.number, seeds),
        )
        for trial, name in zip(done, names, strict=True)
    )


def _is_point(method: MethodRuns, tried: Collection[Path]) -> bool:
    return all(run.folder in tried for run in method.runs if run.record is not None)


def _is_kin(method: MethodRuns, found: StudyRuns) -> bool:
    spec = method.runs[0].spec
    return (str(spec.network), str(spec.backbone)) == (found.study.network, found.study.backbone)


def _ideal(tasks: Sequence[TaskInfo], means: NDArray[np.float64]) -> tuple[float, ...] | None:
    """100 % of what is the better the more; 0 of an error, which nothing falls below.

    Args:
        means: (M, T) all that there are: what goes below 0, as a logarithm does, is no error and has no best value.
    """
    if any(task.higher_is_better and task.unit != "%" for task in tasks):
        return None
    lower = [not task.higher_is_better for task in tasks]
    if (means[:, lower] < 0).any():
        return None
    return tuple(100.0 if task.higher_is_better else 0.0 for task in tasks)


def _chance(trade: TradeOff) -> tuple[float, ...] | None:
    """Return for each task the accuracy of guessing, as records have it: the majority class has the balanced accuracy
    1 / C, of the C classes in the test split. None where a task has no such number."""
    again = trade.study.again.values() if trade.study else ()
    records = [run.record for runs in again for run in runs if run.record]
    records += [record for method in trade.comparison.methods for record in method.records.values()]
    for record in records:
        known = [record.constants.get(task.name) for task in trade.tasks]
        values = [constant.metrics.get(BALANCED[0], math.nan) if constant else math.nan for constant in known]
        if not any(map(math.isnan, values)):
            return tuple(values)
    return None
