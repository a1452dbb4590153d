"""The speed of a kind of run, from a few timed steps."""

import math
import time
from collections.abc import Mapping
from pathlib import Path

import torch

from mtbench.contract import Split, TrainingProtocol, stream
from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.batches.ahead import placed
from mtbench.train.cost.pace import now
from mtbench.train.cost.speeds import Speed
from mtbench.train.machine.device import deterministic
from mtbench.train.network.buffers import after_step
from mtbench.train.outputs import ask, batch_size, one_by_one
from mtbench.train.phases import Phase, phases

__all__ = ["measure_speed"]

STEPS = 3


def measure_speed(
    spec: RunSpec, *, root: Path, device: torch.device, data: Mapping[str, Split] | None = None, stop: float = math.inf
) -> Speed:
    """Return the speed of a kind of run on one core or GPU, from `STEPS` timed steps per phase and an evaluated batch.

    Args:
        data: see `assemble`.
        stop: the time, by `time.monotonic`, after which each phase makes only one step.
    """
    deterministic(device, spec.protocol.precision)
    run = assemble(spec, root=root, device=device, data=data)
    plan = phases(run, spec.protocol)
    train = len(run.splits["train"] if run.whole is None else run.whole)
    training = sum(phase.epochs * _epoch(run, phase, spec.protocol, device, stop) for phase in plan)
    test = _as_seen(run.held_out)
    at_once = min(batch_size(run.network, test), len(test))
    rows = torch.arange(at_once, device=device)
    started = now(device)
    ask(run.network, test.batch(rows))
    spent = now(device) - started
    return Speed(
        training=training / spec.protocol.epochs / train,
        evaluation=spent / at_once,
        phases=plan[-1].end / spec.protocol.epochs,
        train=train,
        test=len(test),
        whole=not spec.protocol.images or train < spec.protocol.images,
    )


def _as_seen(split: Split) -> Split:
    """Return a split whose examples are the inputs that an evaluation processes one by one."""
    return (
        split if split.members is None else one_by_one(split, torch.arange(len(split), device=split.defined.device))[0]
    )


def _epoch(run: Assembly, phase: Phase, protocol: TrainingProtocol, device: torch.device, stop: float) -> float:
    """Return the seconds that the steps of one epoch of a phase take."""
    one_task = protocol.draws_one_task(native=run.network.one_task)
    visits = phase.visits(run.tasks, seed=run.setup.seed, epoch=phase.start, one_task=one_task)
    batches = placed(visits.batches(protocol.batch), phase.defined, device)
    split = phase.split.augmented(run.tasks, stream(run.setup.seed, "augment", phase.start))
    phase.enter(run.network)

    def step(number: int) -> None:
        batch = split.batch(*batches[number % max(1, len(batches) - 1)])  # the last one may be smaller
        phase.balancer.backward(run.network, batch)
        after_step(phase.balancer, run.network, batch)
        run.network.zero_grad()

    started = now(device)
    step(0)  # the first step pays for memory and caches
    once = now(device)
    made = 0
    while made < STEPS and time.monotonic() < stop:
        made += 1
        step(made)
    per_step = (now(device) - once) / made if made else once - started
    phase.leave(run.network)
    return per_step * len(batches)
