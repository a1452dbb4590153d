"""Searches as reports read them, made up with as few words as a test needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mtbench.contract import Metric, TrainingProtocol
from mtbench.plan.spec import Choice, Titles
from mtbench.report.data.studies import StudyRuns, find_studies
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from mtbench.store.study import Spent, Study, Trial
from tests.report.records import CORNERS, PAPER, beside, finished

RESULTS = Path("results")
Scores = Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A trial: what it asked, what it was worth on validation (None if it failed), and its test scores by seed."""

    asked: str
    worth: Scores | None
    front: bool = False
    tested: Sequence[Scores] = ()


def accuracies(names: Sequence[str]) -> tuple[TaskInfo, ...]:
    return tuple(
        TaskInfo(name=name, metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),)) for name in names
    )


def placed(run: RunStatus) -> RunStatus:
    """Return a made-up run where a results folder would have it."""
    return replace(run, folder=RESULTS / run.spec.folder)


def weighted(
    tried: Sequence[Tried],
    *,
    tasks: Sequence[TaskInfo] = accuracies(CORNERS),
    protocol: TrainingProtocol = PAPER,
    planned: int | None = None,
    stale: str = "",
) -> tuple[StudyRuns, list[RunStatus]]:
    """Return a search over the weights of branches+fixed, whose `asked` are weights, and the retrained runs."""
    runs = {
        number: [
            _weighted(
                trial.asked, seed, dict(zip((t.name for t in tasks), scores, strict=True)), tasks, protocol, stale
            )
            for seed, scores in enumerate(trial.tested)
        ]
        for number, trial in enumerate(tried)
        if trial.tested
    }
    return _found(
        "branches+fixed", "tasks", "weights", {"weights": "simplex"}, tried, runs, tasks, protocol, planned, "tpe"
    )


def rated(
    method: str,
    tried: Sequence[Tried],
    *,
    tasks: Sequence[TaskInfo] = accuracies(CORNERS),
    protocol: TrainingProtocol = PAPER,
    planned: int | None = None,
) -> tuple[StudyRuns, list[RunStatus]]:
    """Return a search over the learning rate of a method, whose `asked` are rates; and the runs that were retrained."""
    runs = {}
    for number, trial in enumerate(tried):
        rate = float(trial.asked)
        own = replace(protocol, lr=rate)
        title = protocol.name if rate == protocol.lr else f"{protocol.name}, lr={trial.asked}"
        runs[number] = [
            placed(finished(method, seed, scores, protocol=own, title=title, tasks=tasks))
            for seed, scores in enumerate(trial.tested)
        ]
    space = {"lr": "/".join(trial.asked for trial in tried)}
    runs = {number: each for number, each in runs.items() if each}
    return _found(method, "mean", "lr", space, tried, runs, tasks, protocol, planned, "grid")


def _weighted(
    weights: str,
    seed: int,
    scores: Mapping[str, float],
    tasks: Sequence[TaskInfo],
    protocol: TrainingProtocol,
    stale: str,
) -> RunStatus:
    run = finished("branches+fixed", seed, scores, protocol=protocol, tasks=tasks, stale=stale)
    if tasks[0].metric == "accuracy":  # of ten classes
        run = beside(run, {task.name: {"balanced-accuracy": 10.0} for task in tasks})
    spec = replace(
        run.spec,
        balancer=Choice(name="fixed", options={"weights": weights}),
        titles=replace(run.spec.titles, method=f"branches+fixed:weights={weights}"),
    )
    assert run.record is not None
    return placed(replace(run, spec=spec, record=replace(run.record, spec=spec)))


def _found(
    method: str,
    objective: str,
    name: str,
    space: Mapping[str, str],
    tried: Sequence[Tried],
    runs: Mapping[int, Sequence[RunStatus]],
    tasks: Sequence[TaskInfo],
    protocol: TrainingProtocol,
    planned: int | None,
    sampler: str,
) -> tuple[StudyRuns, list[RunStatus]]:
    parts = finished(method).spec
    trials = tuple(
        Trial(
            number=number,
            state="failed" if trial.worth is None else "done",
            asked={name: trial.asked},
            titles=Titles(dataset="mmnist2", method=method, protocol=protocol.name),
            values=None if trial.worth is None else dict(zip((t.name for t in tasks), trial.worth, strict=True)),
            front=trial.front,
            why="loss of task LU became NaN." if trial.worth is None else "",
        )
        for number, trial in enumerate(tried)
    )
    seeds = max((len(each) for each in runs.values()), default=0)
    study = Study(
        id="0123456789ab",
        dataset="mmnist2",
        method=f"{parts.network}+{parts.balancer}",
        backbone="lenet",
        protocol=protocol,
        titles=Titles(dataset="mmnist2", method=method, protocol=protocol.name),
        space=space,
        sampler=sampler,
        objective=objective,
        tasks=tuple(tasks),
        seed=0,
        tuning_seeds=(1000,),
        report_seeds=tuple(range(seeds)),
        round=4,
        planned=len(tried) if planned is None else planned,
        trials=trials,
        chosen=tuple(sorted({0, *(number for number, trial in enumerate(tried) if trial.front)})) if runs else (),
        retrained={
            number: tuple(run.folder.relative_to(RESULTS).as_posix() for run in each) for number, each in runs.items()
        },
        spent=Spent(trials=len(tried), runs=len(tried), epochs=100 * len(tried)),
    )
    statuses = [run for each in runs.values() for run in each]
    (found,) = find_studies([study], statuses)
    return found, statuses
