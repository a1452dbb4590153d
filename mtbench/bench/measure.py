"""Measurements of methods, one after another, each in its own processes."""

import dataclasses
import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from mtbench.bench.work import BESIDE, Steps, measure_limit, measure_steps
from mtbench.engines.local.processes import spawn
from mtbench.errors import MtbenchError, RunError
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec

__all__ = ["Ask", "Bench", "Measured", "measure"]

LIMIT = 300.0
"""Seconds after which a measurement is given up, in addition to the seconds that it is to take."""
ENDLESS = 1_000_000
"""Number of epochs that no measurement reaches."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request to measure methods.

    Attributes:
        methods: their names.
        dataset: its name.
        protocol: the name of a protocol.
        settings: the settings of the training protocol that differ from it.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        jobs: numbers of runs at a time, in ascending order; the first is 1.
        seconds: the seconds that each measurement takes.
        is_random: True if random images take the place of the dataset's.
        root: the folder of the data files.
    """

    methods: tuple[str, ...]
    dataset: str
    protocol: str
    settings: dict[str, str]
    device: str
    jobs: tuple[int, ...]
    seconds: float
    is_random: bool
    root: Path


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The measurements of one method.

    Attributes:
        method: its title.
        steps: the steps of each run, by the number of runs at a time; fewer entries than asked for where one failed.
        why: the reason as a sentence, if something failed.
    """

    method: str
    steps: dict[int, list[Steps]]
    why: str = ""

    def rate(self, jobs: int) -> float:
        """Return the steps per second of all runs together, at this number of runs at a time."""
        return sum(each.steps / each.seconds for each in self.steps[jobs])

    def seconds(self, jobs: int) -> float:
        """Return the seconds per step of each run, at this number of runs at a time."""
        return jobs / self.rate(jobs)

    @property
    def flops(self) -> float:
        """The floating-point operations of a step: 2 per multiply-accumulate, with a backward pass as two forward
        passes."""
        first = self.steps[1][0]
        return 3 * 2 * first.macs * first.examples


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The measurements of all methods.

    Attributes:
        ask: the request.
        limit: floating-point operations per second of a large matrix product, on one core or GPU.
        protocol: the training protocol in words.
        methods: in the order in which they were asked for.
    """

    ask: Ask
    limit: float
    protocol: str
    methods: tuple[Measured, ...]


def measure(ask: Ask, say: Callable[[str], None] = lambda _: None) -> Bench:
    """Measure the machine and the methods, one after another.

    Args:
        say: called with each method before it is measured.

    Raises:
        RunError: no process can be started, or the machine's rate cannot be measured.
    """
    say("limit")
    found = _together([spawn(measure_limit, ask.device, ask.settings.get("precision", "float32"), 0.5)], ask.seconds)
    if isinstance(found, str):
        raise RunError(f"the rate of this machine cannot be measured: {found}.")
    methods, protocol = list[Measured](), ""
    for method in ask.methods:
        say(method)
        try:
            [spec] = plan(
                Request(
                    methods=[method], datasets=[ask.dataset], protocol=ask.protocol, settings=ask.settings, seeds=[0]
                )
            )
        except MtbenchError as cause:
            methods.append(Measured(method=method, steps={}, why=str(cause)))
            continue
        protocol = spec.titles.protocol
        methods.append(_measured(spec, ask))
    return Bench(ask=ask, limit=found[0], protocol=protocol, methods=tuple(methods))


def _measured(spec: RunSpec, ask: Ask) -> Measured:
    text = dataclasses.replace(spec, protocol=dataclasses.replace(spec.protocol, epochs=ENDLESS)).to_json()
    steps = dict[int, list[Steps]]()
    for jobs in ask.jobs:
        meeting = multiprocessing.get_context("forkserver").Barrier(jobs)
        work = (text, str(ask.root), ask.device, ask.seconds, ask.is_random, meeting)
        found = _together([spawn(measure_steps, *work) for _ in range(jobs)], ask.seconds)
        if isinstance(found, str):
            at_once = f" with {jobs} at a time" if jobs > 1 else ""
            return Measured(method=spec.titles.method, steps=steps, why=found + at_once)
        steps[jobs] = found
    return Measured(method=spec.titles.method, steps=steps)


def _together(workers: Sequence[tuple[ForkServerProcess, Connection]], seconds: float) -> list[Any] | str:
    """Return the message of each process, or a sentence that says why there are none; no process is left."""
    deadline, found = time.monotonic() + LIMIT + seconds, list[object]()
    try:
        for process, pipe in workers:
            if not pipe.poll(max(0.0, deadline - time.monotonic())):
                return f"it took more than {LIMIT + seconds:.0f} s"
            try:
                found.append(pipe.recv())
            except EOFError:
                process.join(1)
                return f"its process died with exit code {process.exitcode}"
    finally:
        for process, pipe in workers:
            with suppress(ProcessLookupError):
                process.kill()
            process.join()
            pipe.close()
    reasons = sorted((each for each in found if isinstance(each, str)), key=lambda why: why == BESIDE)
    return reasons[0] if reasons else found
