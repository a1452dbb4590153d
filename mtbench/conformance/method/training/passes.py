"""The forward passes of a step: as many as declared, only one of which changes the network's buffers."""

from collections import Counter

import torch
from torch import Tensor, nn

from mtbench.conformance.candidate import Candidate, built
from mtbench.conformance.fault import Fault
from mtbench.conformance.world import plain
from mtbench.contract import Batch
from mtbench.train.assemble import Assembly
from mtbench.train.network.buffers import after_step

__all__ = ["passes_once"]

EXAMPLES = 32


def passes_once(candidate: Candidate) -> None:
    """Compare a step with one forward pass of the same network on the same batch.

    Each module counts its calls in training mode in a buffer of its own, as batch normalization counts batches, so that
    networks without buffers are checked too.
    """
    plain_run, step_run = (built(candidate, plain(2, EXAMPLES)) for _ in range(2))
    once, calls = _counted(plain_run.network), _counted(step_run.network)
    for run in (plain_run, step_run):
        run.network.train()
        torch.manual_seed(0)
        batch = _batch(run)
        if run is plain_run:
            run.network.losses(batch)
        else:
            run.balancer.backward(run.network, batch)
            after_step(run.balancer, run.network, batch)
    declared = 1 + step_run.balancer.forwards
    for name, count in calls.items():
        if once[name] and count > declared * once[name]:
            raise Fault(
                f"a step runs module '{name}' {count} times, and {declared} forward "
                f"pass{'es' * (declared > 1)} {declared * once[name]} times: declare the others as `forwards`."
            )
    before, after = _buffers(plain_run), _buffers(step_run)
    if changed := [name for name, value in before.items() if not torch.equal(value, after[name])]:
        name = changed[0].removesuffix(f".{CALLS}")
        raise Fault(
            f"after a step the buffers of '{name}' differ from those after one forward pass: make the other passes in "
            "`after_step`, after which they are restored."
        )


CALLS = "calls_in_training"


def _batch(run: Assembly) -> Batch:
    tasks = torch.arange(EXAMPLES) % len(run.tasks) if run.network.one_task else None
    return run.splits["train"].batch(torch.arange(EXAMPLES), tasks)


def _counted(network: nn.Module) -> Counter[str]:
    """Make every module of a network count its calls in training mode, in a buffer and in the returned counter."""
    calls = Counter[str]()
    for name, module in network.named_modules():
        if not name:
            continue
        module.register_buffer(CALLS, torch.zeros(()))

        def count(called: nn.Module, _: object, name: str = name) -> None:
            if called.training:
                calls[name] += 1
                called._buffers[CALLS] = called.get_buffer(CALLS) + 1

        module.register_forward_pre_hook(count)
    return calls


def _buffers(run: Assembly) -> dict[str, Tensor]:
    return {name: value.nan_to_num() for name, value in run.network.named_buffers()}
