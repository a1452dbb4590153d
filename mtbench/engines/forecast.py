"""The time that runs will take together, from stored speeds of their kinds and from measurements of new kinds.

A finished run stores the speed of its kind (see `mtbench.engines.job`). Kinds without a stored speed are measured in a
process of their own, as many as `BUDGET` allows, and stored; the speeds of the others are derived from these.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

from mtbench.contract import Split
from mtbench.engines.local.processes import spawn
from mtbench.errors import MtbenchError
from mtbench.plan.counting import count_work
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.data import data_fingerprint
from mtbench.train.assemble import load_splits
from mtbench.train.cost.estimate import measure_speed
from mtbench.train.cost.speeds import Speed, Speeds, seconds_at
from mtbench.train.machine.device import choose_device

__all__ = ["estimate", "measure", "speeds_of"]

BUDGET = 3.0
"""Seconds after which no new kind of run is measured for an estimate."""
LIMIT = 20.0
"""Seconds after which a measurement that does not end by itself is given up."""


def estimate(specs: Sequence[RunSpec], *, root: Path, slots: Sequence[str]) -> float | None:
    """Estimate the seconds that the runs will take together; None if that is not possible.

    A run whose speed is unknown counts as the mean of all (see `speeds_of`).
    """
    speeds = speeds_of(specs, root=root, device=slots[0])
    known = [seconds_at(speed, spec) for speed, spec in zip(speeds, specs, strict=True) if speed is not None]
    if not known:
        return None
    whole = sum(known) * len(specs) / len(known)
    return max(max(known), whole / min(len(slots), len(specs)))


def speeds_of(specs: Sequence[RunSpec], *, root: Path, device: str) -> list[Speed | None]:
    """Return the speed of each run's kind on one core or GPU of this machine, in the order given; None if unknown.

    The speed of a kind that was neither stored nor measured is derived by its multiply-accumulates from the kinds of
    its dataset that have a speed, and is stored until one of its runs has finished. Without such a kind it is unknown.
    """
    remembered = Speeds(choose_device(device))
    kinds: dict[str, list[RunSpec]] = {}
    keys = [remembered.key(spec) for spec in specs]
    for key, spec in zip(keys, specs, strict=True):
        kinds.setdefault(key, []).append(spec)
    speeds = remembered.known()
    largest = {key: max(alike, key=lambda spec: spec.protocol.images or 1 << 62) for key, alike in kinds.items()}
    new = {key: spec for key, spec in largest.items() if key not in speeds or not speeds[key].fits(spec)}
    if new:
        there = {key: spec for key, spec in new.items() if _has_data(spec, root)}
        measured = _measured(_by_turns(there), root, device) if there else {}
        speeds = {key: speed for key, speed in speeds.items() if key in kinds and key not in new} | measured
        reckoned = _reckoned(kinds, speeds)
        remembered.remember(measured | reckoned)
        speeds |= reckoned
    return [speeds.get(key) for key in keys]


def measure(specs: Sequence[str], root: str, device: str, pipe: Connection) -> None:
    """Send the `Speed` of each spec, or None, through the pipe, and end after `BUDGET`; a process of `speeds_of`."""
    stop = time.monotonic() + BUDGET
    loaded: dict[tuple[object, ...], dict[str, Split]] = {}

    for text in specs:
        spec = RunSpec.from_json(text)
        key = (str(spec.dataset), spec.protocol.validation, spec.protocol.images)
        try:
            if key not in loaded:  # once for all methods
                loaded[key] = load_splits(spec, spec.resolve().dataset.open(Path(root)))
            speed = measure_speed(spec, root=Path(root), device=choose_device(device), data=loaded[key], stop=stop)
            pipe.send(speed)
        except Exception:  # what is wrong with the run shows when it is done
            pipe.send(None)
        if time.monotonic() > stop:
            return


def _has_data(spec: RunSpec, root: Path) -> bool:
    """Return True if the data of a run are on this machine; a dry run does not prepare them."""
    try:
        return bool(data_fingerprint(spec.dataset, root, spec.files))
    except MtbenchError:
        return False


def _measured(kinds: Mapping[str, RunSpec], root: Path, device: str) -> dict[str, Speed]:
    """Return the speeds of the kinds that could be measured, in the order of the kinds."""
    process, pipe = spawn(measure, [spec.to_json() for spec in kinds.values()], str(root), device)
    deadline, found = time.monotonic() + LIMIT, list[Speed | None]()
    with suppress(EOFError, OSError):
        while len(found) < len(kinds) and pipe.poll(max(0.0, deadline - time.monotonic())):
            found.append(pipe.recv())
    process.kill()
    process.join()
    pipe.close()
    # Kinds that were not reached are missing at the end.
    return {key: speed for key, speed in zip(kinds, found, strict=False) if speed is not None}


def _by_turns(kinds: Mapping[str, RunSpec]) -> dict[str, RunSpec]:
    """Return the kinds in turns: the first of each dataset, then the second of each.

    The speeds of the other kinds of a dataset can be derived from any one of them.
    """
    turns = Counter[str]()
    ranked = []
    for key, spec in kinds.items():
        ranked.append((turns[str(spec.dataset)], key))
        turns[str(spec.dataset)] += 1
    return {key: kinds[key] for _, key in sorted(ranked, key=lambda each: each[0])}


def _reckoned(kinds: Mapping[str, Sequence[RunSpec]], speeds: Mapping[str, Speed]) -> dict[str, Speed]:
    """Return the speeds of kinds that have none, by their multiply-accumulates from the mean of their dataset's speeds.

    Kinds whose multiply-accumulates cannot be counted are left out.
    """
    work_of = cache(lambda key: _work(kinds[key][0]))
    found = {}
    for key, (spec, *_) in kinds.items():
        if key in speeds or not (work := work_of(key)):
            continue
        alike = [
            (speeds[other], work_of(other))
            for other, (one, *_) in kinds.items()
            if other in speeds and one.dataset == spec.dataset and speeds[other].fits(spec)
        ]
        if counted := [(speed, work / its) for speed, its in alike if its]:
            found[key] = replace(
                counted[0][0],
                training=sum(speed.training * times for speed, times in counted) / len(counted),
                evaluation=sum(speed.evaluation * times for speed, times in counted) / len(counted),
            )
    return found


def _work(spec: RunSpec) -> int:
    """Return the multiply-accumulates for one input; 0 if they cannot be counted."""
    try:
        chosen = spec.resolve()
        return count_work(chosen.method, chosen.setup(chosen.dataset.open(Path()), seed=0)).per_input
    except Exception:  # what is wrong with the run shows when it is done
        return 0
