"""How long a run will take, from a few timed steps."""

import math
import time
from pathlib import Path

import torch

from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import assemble
from mtbench.train.device import deterministic
from mtbench.train.evaluate import BATCH
from mtbench.train.loop import TRAIN_EXAMPLES, curve_epochs, draw_tasks

__all__ = ["seconds"]

STEPS = 3


def seconds(spec: RunSpec, *, root: Path, device: torch.device) -> float:
    """An estimate of the seconds a whole run takes on one core or GPU: `STEPS` timed steps and one batch evaluated."""
    deterministic(device, spec.protocol.precision)
    run = assemble(spec, root=root, device=device)
    split, test = run.splits["train"], run.splits["test"]
    one_task = spec.protocol.draws_one_task(native=run.network.one_task)
    drawn = draw_tasks(split.defined.cpu(), torch.Generator().manual_seed(0)).to(device) if one_task else None

    def step(number: int) -> None:
        rows = (torch.arange(spec.protocol.batch, device=device) + number * spec.protocol.batch) % len(split)
        batch = split.batch(rows, None if drawn is None else drawn[rows])
        run.balancer.backward(run.network, batch)
        run.balancer.after_step(run.network, batch)
        run.network.zero_grad()

    def look() -> None:
        with torch.no_grad():
            run.network.every_task(test.batch(torch.arange(min(BATCH, len(test)), device=device)).inputs)

    step(0)  # the first step pays for memory and caches
    started = _now(device)
    for number in range(STEPS):
        step(number)
    per_step = (_now(device) - started) / STEPS
    started = _now(device)
    look()
    per_look = _now(device) - started
    steps = spec.protocol.epochs * math.ceil(len(split) / spec.protocol.batch)
    examples = (len(curve_epochs(spec.protocol.epochs)) + 1) * len(test) + min(len(split), TRAIN_EXAMPLES)
    return steps * per_step + examples / min(BATCH, len(test)) * per_look


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
