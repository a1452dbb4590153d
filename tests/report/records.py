"""Runs as reports read them, made up with as few words as a test needs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtbench.contract import Metric, TrainingProtocol
from mtbench.plan.chosen import split_options
from mtbench.plan.spec import Choice, RunSpec, Titles
from mtbench.store.record import (
    Code,
    Constant,
    Cost,
    CurvePoint,
    Environment,
    Fingerprints,
    Parameters,
    TaskInfo,
    TaskResult,
)
from mtbench.store.status import RunStatus
from tests.builders.records import NUMERICS, record_of

PAPER = TrainingProtocol()
QUICK = TrainingProtocol(name="quick", epochs=2, images=4000)
CORNERS = ("LU", "RL")
ALIASES = {"uniform": "branches+uniform", "moo": "branches+mgda-ub"}
NETWORKS = "astmt chmod cross-stitch film mmoe mtan progressive routing single superposition td tensormod"
BALANCERS = (
    "aligned-mtl aligned-mtl-ub cagrad config db-mtl dualproj dwa excess-mtl fairgrad famo fixed gls graddrop gradnorm "
    "gradvac imtl imtl-g imtl-l imtl-ub mgda nash-mtl pcgrad random scale-invariant stch uncertainty upgrad"
)
INDOOR = (
    TaskInfo(name="segmentation", metrics=(Metric(name="miou", unit="%"), Metric(name="pixel-accuracy", unit="%"))),
    TaskInfo(
        name="depth",
        metrics=tuple(Metric(name=name, higher_is_better=False) for name in ("absolute-error", "relative-error")),
    ),
    TaskInfo(
        name="normals",
        metrics=(
            *(Metric(name=name, unit="°", higher_is_better=False) for name in ("mean-angle", "median-angle")),
            *(Metric(name=f"within-{limit}", unit="%") for limit in ("11.25", "22.5", "30")),
        ),
    ),
)
"""The tasks and metrics of published tables on NYUv2."""
INDOOR_SINGLE = (38.30, 63.76, 0.6754, 0.2780, 25.01, 19.21, 30.14, 57.20, 69.15)
"""Single-task networks there in the tables of Nash-MTL (Navon et al., ICML 2022, table 2) and of those after it."""
INDOOR_UNIFORM = (39.29, 65.33, 0.5493, 0.2263, 28.15, 23.96, 22.09, 47.50, 61.08)
"""Linear scalarization likewise."""
MANY = [
    *NETWORKS.split(),
    *ALIASES,
    *(f"branches+{name}" for name in BALANCERS.split()),
    *("td:channels=6", "film+gradnorm:alpha=1.5", "mtan+dwa", "mmoe+pcgrad"),
]
"""A list of methods as long as --methods all makes, and four that were asked for besides."""


def finished(
    method: str = "td",
    seed: int = 0,
    scores: Mapping[str, float | Mapping[str, float]] | Sequence[float] = (90.0, 80.0),
    *,
    dataset: str = "mmnist2",
    protocol: TrainingProtocol = PAPER,
    title: str = "",
    metric: str = "accuracy",
    unit: str = "%",
    higher_is_better: bool = True,
    tasks: Sequence[TaskInfo] = (),
    stale: str = "",
    device: str = "cpu",
    torch: str = "2.9.0",
    data: str = "d41d8cd98f00b204",
    weights: int = 12500,
    label_uses: int = 12_000_000,
    seconds: float = 1.5,
    macs: int = 800_000,
    memory: int = 300_000_000,
    unsolved: int = 0,
    **numerics: Any,
) -> RunStatus:
    """Return a run with a record: fresh, or stale for the reason given.

    Args:
        scores: the primary metric of each task, or all of its metrics by name.
        seconds: CPU seconds of training per epoch; wall-clock seconds are three times as many.
        numerics: changed numerics.
    """
    named = scores if isinstance(scores, Mapping) else dict(zip(CORNERS, scores, strict=False))
    infos = tuple(tasks) or tuple(
        TaskInfo(name=name, metrics=(Metric(name=metric, unit=unit, higher_is_better=higher_is_better),))
        for name in named
    )
    asked = spec(method, seed, dataset=dataset, protocol=protocol, title=title)
    results = {"test": _results(infos, named, 1.0)}
    record = record_of(
        asked,
        infos,
        results,
        training_examples=protocol.images or 60_000,
        curve=tuple(
            CurvePoint(
                epoch=epoch,
                steps=118 * epoch,
                label_uses=label_uses * epoch // protocol.epochs,
                train_losses={info.name: 2.3 * 0.7**epoch + 0.02 * seed for info in infos},
                results={"test": _results(infos, named, 1 - 0.6**epoch)},
            )
            for epoch in range(1, min(protocol.epochs, 20) + 1)
        ),
        cost=Cost(
            steps=11_800,
            label_uses=label_uses,
            forward_passes=6_000_000,
            wall_seconds=0.1 + 0.2,
            cpu_seconds=500.25,
            peak_memory=memory,
            macs_per_task=macs // 2,
            macs_per_input=macs,
            training_wall_seconds=3 * seconds * protocol.epochs,
            training_cpu_seconds=seconds * protocol.epochs,
            unsolved=unsolved,
        ),
        parameters=Parameters(weights=weights, total=weights + 100, single_weights=10_000, single_total=10_100),
        environment=Environment(mtbench="0.1.0", python="3.12.0", platform="Linux"),
        numerics=replace(NUMERICS, libraries={"torch": torch}, device=device.partition(":")[0], **numerics),
        selected_epoch=protocol.epochs,
        fingerprints=Fingerprints(
            numerics=1,
            code={
                part: Code(distribution="mtbench", version="0.1.0", hash="abc")
                for part in ("network", "balancer", "backbone", "dataset")
            },
            data=data,
        ),
        finished="2026-01-02T03:04:05Z",
    )
    state = "stale" if stale else "fresh"
    return RunStatus(folder=Path(asked.folder), spec=asked, state=state, why=stale, record=record)


def beside(
    run: RunStatus, values: Mapping[str, float | Mapping[str, float]], name: str = "majority class", count: int = 10_000
) -> RunStatus:
    """Return a run whose record has constant predictions: by task that of its primary metric, or of all metrics by
    name.

    Args:
        count: number of test examples of each task.
    """
    record = run.record
    assert record is not None
    primary = {task.name: task.metric for task in record.tasks}
    constants = {
        task: Constant(name=name, metrics=value if isinstance(value, Mapping) else {primary[task]: value})
        for task, value in values.items()
    }
    test = {task: replace(result, count=count) for task, result in record.results["test"].items()}
    return replace(run, record=replace(record, constants=constants, results={**record.results, "test": test}))


def indoor(method: str, seed: int, values: Sequence[float], **changed: Any) -> RunStatus:
    """Return a run with the tasks of `INDOOR` and its nine metrics."""
    left = iter(values)
    scores = {task.name: {metric.name: next(left) for metric in task.metrics} for task in INDOOR}
    return finished(method, seed, scores, tasks=INDOOR, **changed)


def unfinished(
    state: str,
    method: str = "td",
    seed: int = 0,
    why: str = "",
    *,
    dataset: str = "mmnist2",
    protocol: TrainingProtocol = PAPER,
    title: str = "",
) -> RunStatus:
    """Return a run without a record, in the state given."""
    asked = spec(method, seed, dataset=dataset, protocol=protocol, title=title)
    return RunStatus(folder=Path(asked.folder), spec=asked, state=state, why=why, record=None)


def spec(
    method: str, seed: int, *, dataset: str = "mmnist2", protocol: TrainingProtocol = PAPER, title: str = ""
) -> RunSpec:
    """Return the spec of a made-up run; `method` may have a balancer after a plus."""
    network, _, balancer = ALIASES.get(method, method).partition("+")
    return RunSpec(
        dataset=split_options(dataset, "dataset"),
        network=Choice(name=network),
        balancer=Choice(name=balancer or "uniform"),
        backbone=Choice(name="lenet"),
        protocol=protocol,
        seed=seed,
        titles=Titles(dataset=dataset, method=method, protocol=title or protocol.name),
    )


def on(backbone: Choice, run: RunStatus) -> RunStatus:
    """Return a run on another backbone, with a title that says so."""
    titles = replace(run.spec.titles, method=f"{run.spec.titles.method}@{backbone}")
    return replace(run, spec=replace(run.spec, backbone=backbone, titles=titles))


def answering(asked: RunSpec, scores: Mapping[str, float] | Sequence[float]) -> RunStatus:
    """Return a finished run of what was asked, with these scores."""
    run = finished(asked.titles.method, asked.seed, scores, dataset=str(asked.dataset), protocol=asked.protocol)
    assert run.record is not None
    return replace(run, folder=Path(asked.folder), spec=asked, record=replace(run.record, spec=asked))


def mixed_runs() -> list[RunStatus]:
    """Return all that can happen to runs.

    td is separated on LU and in the mean, not on RL; chmod is stale and half lost; single has no number.
    Differences vary, for without a spread nothing could be tested.
    """
    return [
        *(finished("td", seed, (90 + seed, 80 + 2 * seed)) for seed in range(3)),
        *(
            finished("moo", seed, scores, weights=20_000)
            for seed, scores in enumerate([(87.5, 79.3333), (88.4, 81.3333), (89.6, 82.3333)])
        ),
        finished("chmod", 0, (69, 61), stale="the network's code changed", weights=10_025),
        finished("chmod", 1, (70.04, 63.04), weights=10_025),
        unfinished("failed", "chmod", 2, "loss of task LU became NaN at step 14."),
        unfinished("missing", "chmod", 3),
        unfinished("running", "single", 0),
        unfinished("damaged", "single", 1, "its checksum is wrong."),
    ]


def many_runs(*, seeds: int = 3, protocol: TrainingProtocol = QUICK, tasks: Sequence[str] = CORNERS) -> list[RunStatus]:
    """Return runs of as many methods as there are, unlike in everything; a few runs are not as they should be."""
    runs = []
    for place, method in enumerate(MANY):
        for seed in range(seeds):
            if (place * seeds + seed) % 29 == 11:
                runs.append(
                    unfinished("failed", method, seed, f"loss of task {tasks[0]} became NaN.", protocol=protocol)
                )
                continue
            scores = {
                task: 97 - 12 * (0.5 + 0.5 * math.sin(7 * place)) ** 3 - at + seed / 4 for at, task in enumerate(tasks)
            }
            runs.append(
                finished(
                    method,
                    seed,
                    scores,
                    protocol=protocol,
                    weights=10_000 * (2 if place < 12 else 1) + 25 * place,
                    label_uses=1_000 * (8 + place),
                    seconds=3.1 * (1 + 0.1 * place),
                    macs=300_000 * (1 + place),
                    memory=350_000_000 + 20_000_000 * place,
                )
            )
    return runs


def _results(
    tasks: Sequence[TaskInfo], scores: Mapping[str, float | Mapping[str, float]], fraction: float
) -> dict[str, TaskResult]:
    named = {task.name: scores[task.name] for task in tasks}
    metrics = {
        task.name: value if isinstance(value := named[task.name], Mapping) else {task.metric: value} for task in tasks
    }
    return {
        name: TaskResult(loss=0.25, count=10_000, metrics={each: fraction * value for each, value in of.items()})
        for name, of in metrics.items()
    }
