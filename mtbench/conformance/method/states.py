"""Comparisons of states and of gradients for several checks."""

import dataclasses

import torch
from torch import Tensor

from mtbench.conformance.candidate import PROTOCOL, Candidate, state, trained
from mtbench.conformance.fault import Fault, in_words
from mtbench.conformance.world import World
from mtbench.errors import UsageError
from mtbench.train.assemble import Assembly

__all__ = ["check_finite", "drawn", "one_epoch", "reached", "same", "some", "unlike"]


def same(first: Tensor, second: Tensor) -> bool:
    """Return True if two tensors are equal, with NaN in the same places."""
    return torch.equal(first.isnan(), second.isnan()) and torch.equal(first.nan_to_num(), second.nan_to_num())


def unlike(first: Assembly, second: Assembly) -> list[str]:
    one, two = state(first), state(second)
    names = sorted(one.keys() | two.keys())
    return [name for name in names if name not in one or name not in two or not same(one[name], two[name])]


def check_finite(run: Assembly, where: str) -> None:
    values = {**dict(run.network.state_dict()), **dict(run.balancer.named_parameters())}
    broken = [name for name, value in values.items() if not torch.isfinite(value).all()]
    if broken:
        raise Fault(f"{where} {some(broken)} became NaN or infinite.")


def reached(run: Assembly, loss: Tensor) -> set[str]:
    """Return the parameters that a loss depends on."""
    named = {name: value for name, value in run.network.named_parameters() if value.requires_grad}
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {name for name, gradient in zip(named, found, strict=True) if gradient is not None}


def drawn(run: Assembly, count: int) -> Tensor | None:
    return torch.arange(count) % len(run.tasks) if run.network.one_task else None


def some(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def one_epoch(candidate: Candidate, world: World, where: str) -> None:
    try:
        run = trained(candidate, world, protocol=dataclasses.replace(PROTOCOL, epochs=1))
    except UsageError:
        raise
    except Exception as cause:
        raise Fault(f"{where} {in_words(cause)}") from cause
    check_finite(run, where)
