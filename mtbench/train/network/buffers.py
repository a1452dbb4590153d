"""Buffers of a network, such as running statistics, which a training step changes once and evaluation never.

All tensors that ``register_buffer`` gave a name are compared and restored, in the state or not: their values bit by
bit, and their identities.
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
        """Yield the full names of the buffers that have other values, or were added or removed."""
        found = self.module._buffers
        for name in sorted(found.keys() | self.tensors.keys()):
            before, after = self.values.get(name), found.get(name)
            if (before is None) != (after is None) or (
                before is not None and after is not None and not _is_same(before, after)
            ):
                yield f"{self.name}.{name}" if self.name else name


@contextmanager
def restored_buffers(network: nn.Module) -> Iterator[None]:
    """Restore the value of every buffer after the block, bit by bit; within it they may change."""
    kept = _kept(network)
    try:
        yield
    finally:
        with torch.no_grad():
            for each in kept:
                each.restore()


def after_step(balancer: Balancer, network: Network, batch: Batch) -> Losses | None:
    """Call `Balancer.after_step`; its forward passes leave every buffer unchanged."""
    with restored_buffers(network) if balancer.forwards else nullcontext():
        return balancer.after_step(network, batch)


@contextmanager
def unchanged_buffers(network: nn.Module) -> Iterator[None]:
    """Check after the block that it has changed no buffer.

    Raises:
        PluginError: a buffer was changed.
    """
    kept = _kept(network)
    yield
    if changed := [name for each in kept for name in each.changed()]:
        raise PluginError(
            f"evaluation changes buffer '{changed[0]}' of network '{type(network).__name__}'"
            f"{f' and {len(changed) - 1} more' if changed[1:] else ''}: the result of a run would depend on the number "
            "of its evaluations.",
            mend="Change buffers only where `self.training` is true.",
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
    """Return True if two tensors have the same bits; NaN equals NaN."""
    if (first.shape, first.dtype, first.device) != (second.shape, second.dtype, second.device):
        return False
    return torch.equal(first, second) or torch.equal(first.nan_to_num(), second.nan_to_num())
