"""Buffers of a network, such as running statistics, which a step of training changes once and evaluation never.

Compared and restored is everything that ``register_buffer`` gave a name, whether it is in the state or not: the values
bit by bit, and which tensor stands for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mtbench.contract import Balancer, Batch, Losses, Network
from mtbench.errors import PluginError

__all__ = ["after_step", "restored_buffers", "unchanged_buffers"]


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The buffers of one module: the tensors by name, and copies of their values."""

    name: str
    module: nn.Module
    tensors: dict[str, Tensor | None]
    values: dict[str, Tensor]

    def restore(self) -> None:
        self.module._buffers = dict(self.tensors)
        for name, value in self.values.items():
            tensor = self.tensors[name]
            assert tensor is not None
            tensor.copy_(value)

    def changed(self) -> Iterator[str]:
        """Yield the full names of the buffers that have other values, or that are new or gone."""
        found = self.module._buffers
        for name in sorted(found.keys() | self.tensors.keys()):
            before, after = self.values.get(name), found.get(name)
            if (before is None) != (after is None) or (
                before is not None and after is not None and not _is_same(before, after)
            ):
                yield f"{self.name}.{name}" if self.name else name


@contextmanager
def restored_buffers(network: nn.Module) -> Iterator[None]:
    """Give every buffer back its value after the block, bit by bit; within it they may change."""
    kept = _kept(network)
    try:
        yield
    finally:
        with torch.no_grad():
            for each in kept:
                each.restore()


def after_step(balancer: Balancer, network: Network, batch: Batch) -> Losses | None:
    """Call `Balancer.after_step`; the forward passes that it declares leave every buffer as it was."""
    with restored_buffers(network) if balancer.forwards else nullcontext():
        return balancer.after_step(network, batch)


@contextmanager
def unchanged_buffers(network: nn.Module) -> Iterator[None]:
    """Check after the block that it has changed no buffer.

    Raises:
        PluginError: it has.
    """
    kept = _kept(network)
    yield
    if changed := [name for each in kept for name in each.changed()]:
        raise PluginError(
            f"evaluation changes buffer '{changed[0]}' of network '{type(network).__name__}'"
            f"{f' and {len(changed) - 1} more' if changed[1:] else ''}: what a run is would depend on how often it is "
            "evaluated.",
            mend="Change buffers where `self.training` is true alone.",
        )


def _kept(network: nn.Module) -> list[_Kept]:
    return [
        _Kept(
            name=name,
            module=module,
            tensors=dict(module._buffers),
            values={key: value.detach().clone() for key, value in module._buffers.items() if value is not None},
        )
        for name, module in network.named_modules()
        if module._buffers
    ]


def _is_same(first: Tensor, second: Tensor) -> bool:
    """Return whether two tensors have the same bits; NaN is one with NaN."""
    if (first.shape, first.dtype, first.device) != (second.shape, second.dtype, second.device):
        return False
    return torch.equal(first, second) or torch.equal(first.nan_to_num(), second.nan_to_num())
