"""The times that a simulation is fed with, from stored speeds and from measurements on this machine."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from mtbench.engines.forecast import speeds_of
from mtbench.engines.simulation.setting import RunCost
from mtbench.engines.space import checkpoint_bytes, space_kind
from mtbench.errors import RunError, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.run.checkpoint import CheckpointFile
from mtbench.train.cost.speeds import Speed, evaluated, seconds_at

__all__ = ["Measured", "cost_of", "measure_costs", "write_seconds"]

REPEATED = 3
"""Times that a checkpoint is written; the median counts."""
SMALL, LARGEST = 100_000, 256_000_000
"""Bytes of the checkpoints that are written; a larger one is reckoned from these."""
DATASETS = 3
"""Datasets of which the start of a run is timed; for runs of others the mean of these counts."""
LIMIT = 120.0
"""Seconds after which a start that does not end is given up."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The times of some runs.

    Attributes:
        runs: the times of each run, in the order given.
        unknown: the number of runs whose speed is unknown, to which the mean of the others was given.
        sizes: bytes of the smallest and of the largest checkpoint.
        place: the folder that checkpoints were written in.
    """

    runs: list[RunCost]
    unknown: int
    sizes: tuple[int, int]
    place: Path


def measure_costs(specs: Sequence[RunSpec], *, root: Path, device: str, results: Path) -> Measured:
    """Return the times of runs: epochs by their speeds, a start and a checkpoint by doing them.

    Args:
        specs: the runs, at least one.
        root: the folder of the data files.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        results: the results folder; checkpoints are written there, or above it if there is no such folder yet, and
            removed again.

    Raises:
        RunError: no speed of any run is known.
    """
    speeds = speeds_of(specs, root=root, device=device)
    if not any(speeds):
        raise RunError(
            "the time of none of the runs can be estimated, since their data are not here or they cannot be trained.",
            mend="Train one of each first, e.g. with --seeds 1 --epochs 1.",
        )
    bytes_of = {kind: checkpoint_bytes(spec) for kind, spec in {space_kind(spec): spec for spec in specs}.items()}
    place, seconds_of = _writing(results, max(bytes_of.values()))
    starts = _starts(specs, root, device)
    runs = [
        None
        if speed is None
        else cost_of(
            spec,
            speed,
            start=starts.get(str(spec.dataset), statistics.fmean(starts.values())),
            checkpoint=seconds_of(bytes_of[space_kind(spec)]),
        )
        for spec, speed in zip(specs, speeds, strict=True)
    ]
    return Measured(
        runs=_filled(runs),
        unknown=runs.count(None),
        sizes=(min(bytes_of.values()), max(bytes_of.values())),
        place=place,
    )


def cost_of(spec: RunSpec, speed: Speed, *, start: float = 0.0, checkpoint: float = 0.0) -> RunCost:
    """Return the times of a run at a speed of its kind.

    The evaluations of the curve are spread over the epochs; the one of all splits at the end is not.
    """
    protocol = spec.protocol
    train = min(protocol.images or speed.train, speed.train)
    # The last point of the curve is part of the last evaluation, and so are some of the training examples.
    end = speed.evaluation * (speed.test + evaluated(protocol, speed.phases, train, 0))
    epochs = max(1, round(speed.phases * protocol.epochs))
    return RunCost(
        epochs=epochs,
        epoch=max(1e-6, (seconds_at(speed, spec) - end) / epochs),
        start=start,
        checkpoint=checkpoint,
        end=end,
    )


def write_seconds(folder: Path, size: int) -> float:
    """Return the seconds in which a checkpoint of this size is written into a folder, the median of `REPEATED`.

    Raises:
        StoreError, OSError: it cannot be written.
    """
    state = {"network": torch.rand(max(1, size // 4))}
    found = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".mtbench-") as inner:
        for _ in range(REPEATED):
            before = time.perf_counter()
            CheckpointFile(Path(inner)).write(state)
            found.append(time.perf_counter() - before)
    return statistics.median(found)


def _writing(results: Path, largest: int) -> tuple[Path, Callable[[int], float]]:
    """Return the folder that checkpoints were written in, and a function from bytes to the seconds that they take."""
    folder = results.absolute()
    while not folder.is_dir():
        folder = folder.parent
    sizes = (SMALL, max(SMALL, min(LARGEST, largest)))
    try:
        times = [write_seconds(folder, size) for size in sizes]
    except (OSError, StoreError):  # nobody may write there before the results folder is made
        folder = Path(tempfile.gettempdir())
        times = [write_seconds(folder, size) for size in sizes]
    slope = max(0.0, times[1] - times[0]) / max(1, sizes[1] - sizes[0])
    return folder, lambda size: max(0.0, times[0] + slope * (size - sizes[0]))


def _starts(specs: Sequence[RunSpec], root: Path, device: str) -> Mapping[str, float]:
    """Return the seconds from the start of a process to the first step of a run, by dataset, of some datasets.

    A dataset without data here counts with the time after which this shows.
    """
    found: dict[str, float] = {}
    for spec in specs:
        if str(spec.dataset) in found or len(found) == DATASETS:
            continue
        command = [sys.executable, "-m", "mtbench.engines.simulation.start", str(root), device]
        before = time.perf_counter()
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(command, input=spec.to_json(), text=True, capture_output=True, check=False, timeout=LIMIT)
        found[str(spec.dataset)] = time.perf_counter() - before
    return found


def _filled(runs: Sequence[RunCost | None]) -> list[RunCost]:
    """Put the mean of the known runs in the place of those that are unknown."""
    known = [run for run in runs if run is not None]
    mean = RunCost(
        epochs=max(1, round(statistics.fmean(run.epochs for run in known))),
        **{
            name: statistics.fmean(getattr(run, name) for run in known)
            for name in ("epoch", "start", "checkpoint", "end")
        },
    )
    return [run or mean for run in runs]
