"""The work of one process: train a method for some seconds, or measure the rate of the machine."""

import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import BrokenBarrierError
from typing import Protocol

import torch

from mtbench.bench.images import random_splits
from mtbench.engines.heap import keep_freed_memory
from mtbench.errors import MtbenchError
from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import assemble
from mtbench.train.cost.ledger import count_macs
from mtbench.train.cost.memory import peak_memory
from mtbench.train.cost.pace import now, pace
from mtbench.train.machine.device import deterministic

__all__ = ["BESIDE", "Meeting", "Steps", "measure_limit", "measure_steps"]

SIDE = {"cpu": 1024, "cuda": 8192}
"""Rows and columns of the matrices whose product is timed, by kind of device."""
AT_LEAST = 5
"""Number of products that are timed at least."""
BESIDE = "a process beside it failed"
"""Message of a process that waited in vain for the others."""
WAIT = 120.0
"""Seconds that processes wait for one another at most."""


class Meeting(Protocol):
    """A barrier where processes wait until all of them are there, as `multiprocessing.Barrier`."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the others."""

    def abort(self) -> None:
        """Make that wait fail in the other processes."""


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The steps of one process.

    Attributes:
        steps: the number of steps.
        seconds: the seconds that all of them took together.
        examples: examples per step, the mean over an epoch.
        macs: multiply-accumulates for one example in one forward pass.
        memory: peak in bytes: of the process on a CPU, of its tensors on a GPU.
    """

    steps: int
    seconds: float
    examples: float
    macs: int
    memory: int


def measure_steps(
    text: str, root: str, device: str, seconds: float, is_random: bool, meeting: Meeting, pipe: Connection
) -> None:
    """Send `Steps` through the pipe, or a sentence that says why there are none.

    Args:
        text: a spec as JSON.
        root: the folder of the data files.
        is_random: True if random images take the place of the dataset's.
        meeting: the barrier of the processes that are to compute at the same time.
    """
    try:
        pipe.send(_steps(RunSpec.from_json(text), Path(root), torch.device(device), seconds, is_random, meeting))
    except BrokenBarrierError:
        pipe.send(BESIDE)
    except Exception as cause:  # what is wrong with one method keeps no other from being measured
        meeting.abort()
        pipe.send(str(cause) if isinstance(cause, MtbenchError) else f"{type(cause).__name__}: {cause}")


def _steps(spec: RunSpec, root: Path, device: torch.device, seconds: float, is_random: bool, meeting: Meeting) -> Steps:
    keep_freed_memory()
    deterministic(device, spec.protocol.precision)
    run = assemble(spec, root=root, device=device, data=random_splits(spec, root) if is_random else None)
    network, train, protocol = run.network, run.splits["train"], spec.protocol
    macs = count_macs(network.eval(), train.batch(torch.zeros(1, dtype=torch.long, device=device)).inputs)
    found = pace(run, protocol, seconds=seconds, begin=lambda: meeting.wait(WAIT))
    return Steps(
        steps=found.steps,
        seconds=found.seconds,
        examples=len(train) / -(-len(train) // protocol.batch),
        macs=macs.per_task if protocol.draws_one_task(native=network.one_task) else macs.per_input,
        memory=torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory(),
    )


def measure_limit(device: str, precision: str, seconds: float, pipe: Connection) -> None:
    """Send the floating-point operations per second of a large matrix product: the best of some seconds.

    The product is computed as training computes: on one thread of a CPU, in the precision of the protocol.
    """
    here = torch.device(device)
    deterministic(here, precision)
    dtype, side = torch.bfloat16 if precision == "bf16" else torch.float32, SIDE[here.type]
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(side, side, generator=generator).to(here, dtype) for _ in range(2))
    times = list[float]()
    started = time.perf_counter()
    while len(times) < AT_LEAST or time.perf_counter() - started < seconds:
        before = now(here)
        one @ other
        times.append(now(here) - before)
    pipe.send(2 * side**3 / min(times))
