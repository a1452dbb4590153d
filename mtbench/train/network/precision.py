"""Mixed precision: a network computes in bfloat16 where torch considers that safe, and everything else in float32.

Weights, gradients, the optimizer, losses and balancers are in float32. So are the outputs of the network in evaluation,
which computes as in training.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mtbench.contract import Network

__all__ = ["compute_in_bfloat16"]

METHODS = ("losses", "encode", "decode", "all_outputs", "used_outputs", "task_output", "task_map")
"""The methods that the harness and balancers call on a network."""


def compute_in_bfloat16(network: Network, device: torch.device) -> None:
    """Make a network compute under autocast in each of `METHODS`, and its losses in float32.

    Its convolutions and matrix products are in bfloat16; no gradient needs a scale, as in float16.
    """
    for name in METHODS:
        if hasattr(network, name):
            setattr(network, name, _Lowered(getattr(network, name), device.type))
    network.mean_losses = _Raised(network.mean_losses, device.type)  # type: ignore[method-assign]


class _Lowered:
    """A method under autocast, whose tensors are returned in float32."""

    def __init__(self, method: Callable[..., Any], device: str) -> None:
        self.method, self.device = method, device  # bound, so that a copy of the network has one of its own

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        with torch.autocast(self.device, torch.bfloat16):
            return _raised(self.method(*arguments, **more))


class _Raised:
    """A method without autocast, whose tensor arguments are converted to float32."""

    def __init__(self, method: Callable[..., Any], device: str) -> None:
        self.method, self.device = method, device

    def __call__(self, outputs: Any, *arguments: Any, **more: Any) -> Any:
        with torch.autocast(self.device, enabled=False):
            return self.method(_raised(outputs), *arguments, **more)


def _raised(value: Any) -> Any:
    """Return a tensor, or a list of tensors, with bfloat16 converted to float32; other values unchanged."""
    if isinstance(value, Tensor) and value.dtype == torch.bfloat16:
        return value.float()
    return [_raised(each) for each in value] if isinstance(value, list) else value
