"""An estimate of the time that a run will take, from a few timed steps."""

import time
from pathlib import Path

import torch

from mtbench.contract import Split, TrainingProtocol, stream
from mtbench.plan.spec import RunSpec
from mtbench.train.ahead import placed
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.buffers import after_step
from mtbench.train.device import deterministic
from mtbench.train.loop import TRAIN_EXAMPLES, curve_epochs
from mtbench.train.outputs import ask, batch_size, one_by_one
from mtbench.train.phases import Phase, phases

__all__ = ["seconds"]

STEPS = 3


def seconds(spec: RunSpec, *, root: Path, device: torch.device) -> float:
    """An estimate of the seconds a whole run takes on one core or GPU: `STEPS` timed steps of each of its phases, and
    one batch evaluated."""
    deterministic(device, spec.protocol.precision)
    run = assemble(spec, root=root, device=device)
    plan = phases(run, spec.protocol)
    training = sum(phase.epochs * _epoch(run, phase, spec.protocol, device) for phase in plan)
    train, test = _as_seen(run.splits["train"].first(TRAIN_EXAMPLES)), _as_seen(run.splits["test"])
    at_once = min(batch_size(run.network, test), len(test))

    def look() -> None:
        ask(run.network, test.batch(torch.arange(at_once, device=device)))

    started = _now(device)
    look()
    per_look = _now(device) - started
    points = len(curve_epochs(plan[-1].end, spec.protocol.curve))
    examples = (points + 1) * len(test) + len(train)
    return training + examples / at_once * per_look


def _as_seen(split: Split) -> Split:
    """Return a split whose examples are what is seen one by one in an evaluation."""
    return (
        split if split.members is None else one_by_one(split, torch.arange(len(split), device=split.defined.device))[0]
    )


def _epoch(run: Assembly, phase: Phase, protocol: TrainingProtocol, device: torch.device) -> float:
    """The seconds that the steps of one epoch of a phase take."""
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

    step(0)  # the first step pays for memory and caches
    started = _now(device)
    for number in range(STEPS):
        step(number + 1)
    seconds = (_now(device) - started) / STEPS * len(batches)
    phase.leave(run.network)
    return seconds


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
