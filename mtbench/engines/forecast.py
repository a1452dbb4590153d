"""The time that runs will take together: from what is remembered of their kinds, and from what is measured of new ones.

A finished run teaches the speed of its kind (see `mtbench.engines.job`). Of kinds without one as many are measured as
`BUDGET` allows, in a process of their own, and remembered; the others are reckoned from these.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

from mtbench.contract import Split
from mtbench.engines.processes import spawn
from mtbench.plan.counting import count_work
from mtbench.plan.parse import dataset_of, parse_dataset, parse_method
from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import load_splits
from mtbench.train.device import choose_device
from mtbench.train.estimate import measure_speed
from mtbench.train.speeds import Speed, Speeds, seconds_at

__all__ = ["estimate", "measure"]

BUDGET = 3.0
"""Seconds after which no new kind of run is measured for an estimate."""
LIMIT = 20.0
"""Seconds after which a measurement is given up that does not end by itself."""


def estimate(specs: Sequence[RunSpec], *, root: Path, slots: Sequence[str]) -> float | None:
    """Estimate the seconds that the runs will take together; None if that is not possible.

    A kind that was neither remembered nor reached is reckoned by its multiply-accumulates from those of its dataset
    that were, or without any counts as the mean of all.
    """
    remembered = Speeds(choose_device(slots[0]))
    kinds: dict[str, list[RunSpec]] = {}
    for spec in specs:
        kinds.setdefault(remembered.key(spec), []).append(spec)
    speeds = remembered.known()
    largest = {key: max(alike, key=lambda spec: spec.protocol.images or 1 << 62) for key, alike in kinds.items()}
    new = {key: spec for key, spec in largest.items() if key not in speeds or not speeds[key].fits(spec)}
    if new:
        measured = _measured(new, root, slots[0])
        remembered.remember(measured)
        speeds |= measured
    each = _seconds(kinds, {key: speeds[key] for key in kinds if key not in new or key in measured})
    if not each:
        return None
    return max(max(each), sum(each) / min(len(slots), len(specs)))


def measure(specs: Sequence[str], root: str, device: str, pipe: Connection) -> None:
    """Send the `Speed` of each spec or None through the pipe, and end after `BUDGET`: the process behind `estimate`."""
    stop = time.monotonic() + BUDGET
    loaded: dict[tuple[object, ...], dict[str, Split]] = {}

    for text in specs:
        spec = RunSpec.from_json(text)
        key = (str(spec.dataset), spec.protocol.validation, spec.protocol.images)
        try:
            if key not in loaded:  # once for all methods
                loaded[key] = load_splits(spec, dataset_of(spec).open(Path(root)))
            speed = measure_speed(spec, root=Path(root), device=choose_device(device), data=loaded[key], stop=stop)
            pipe.send(speed)
        except Exception:  # what is wrong with the run shows when it is done
            pipe.send(None)
        if time.monotonic() > stop:
            return


def _measured(kinds: Mapping[str, RunSpec], root: Path, device: str) -> dict[str, Speed]:
    """The speeds of as many kinds as could be measured, in their order."""
    process, pipe = spawn(measure, [spec.to_json() for spec in kinds.values()], str(root), device)
    deadline, found = time.monotonic() + LIMIT, list[Speed | None]()
    with suppress(EOFError, OSError):
        while len(found) < len(kinds) and pipe.poll(max(0.0, deadline - time.monotonic())):
            found.append(pipe.recv())
    process.kill()
    process.join()
    pipe.close()
    # What was not reached is missing at the end.
    return {key: speed for key, speed in zip(kinds, found, strict=False) if speed is not None}


def _seconds(kinds: Mapping[str, Sequence[RunSpec]], speeds: Mapping[str, Speed]) -> list[float]:
    """The seconds of every run, reckoned where there is no speed of its kind; empty where there is none at all."""
    known = {key: [seconds_at(speeds[key], spec) for spec in kinds[key]] for key in speeds}
    if not known:
        return []
    rates: dict[str, list[float]] = {}
    unknown = {key: specs for key, specs in kinds.items() if key not in known}
    lacking = {str(specs[0].dataset) for specs in unknown.values()}
    for key, seconds in known.items():
        if str(kinds[key][0].dataset) in lacking and (work := _work(kinds[key][0])):
            rates.setdefault(str(kinds[key][0].dataset), []).append(seconds[0] / work)
    every = [each for seconds in known.values() for each in seconds]
    mean = sum(every) / len(every)
    for specs in unknown.values():
        rate = rates.get(str(specs[0].dataset))
        for spec in specs:
            work = _work(spec) if rate else 0
            every.append(work * sum(rate) / len(rate) if rate and work else mean)
    return every


def _work(spec: RunSpec) -> int:
    """Multiply-accumulates for one input, times the epochs; 0 if they cannot be counted."""
    method, files = f"{spec.network}@{spec.backbone}", tuple(sorted(spec.files.items()))
    return spec.protocol.epochs * _macs(str(spec.dataset), method, files)


@cache
def _macs(dataset: str, method: str, files: tuple[tuple[str, str], ...]) -> int:
    try:
        chosen, opened = parse_method(method, dict(files)), parse_dataset(dataset, dict(files)).open(Path())
        setup = chosen.on(opened.default_backbone).setup(opened, seed=0)
        return count_work(chosen, setup).per_input
    except Exception:  # what is wrong with the run shows when it is done
        return 0
