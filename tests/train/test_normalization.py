"""Every network and backbone with batch normalization has the gradient that its copy in float64 has."""

import copy
import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from mtbench import registry
from mtbench.conformance.trial import Trial, built, tiny
from mtbench.conformance.world import plain
from mtbench.contract import Alias, Batch, BatchNorm, Network
from mtbench.errors import UsageError
from mtbench.train.assemble import Assembly

IMAGES = 128
BACKGROUND = 0.5
"""Lowest pixel after normalization: most of an image is alike, as in drawings of digits, where sums lose most digits."""


class WithoutKinks(TorchFunctionMode):
    """Smooth functions in place of rectifiers and maxima: at a kink, rounding decides which way a gradient goes."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ARG002
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        if name == "relu":
            return nn.functional.softplus(args[0])
        if name == "max_pool2d":
            kept = {key: kwargs[key] for key in ("stride", "padding", "ceil_mode") if key in kwargs}
            return nn.functional.avg_pool2d(*args, **kept)
        return func(*args, **kwargs)


def own(kind: str) -> Iterator[str]:
    return (name for name, entry in registry.entries(kind).items() if entry.distribution == "mtbench")


@cache
def assembled(network: str, backbone: str) -> Assembly | None:
    """The network on the backbone, which normalizes by the batch, as all else does as in evaluation; None if they do
    not fit."""
    try:
        run = built(Trial.of(network).on(tiny(backbone)), plain(2, IMAGES))
    except UsageError:
        return None
    run.network.begin_epoch(0, 2)
    run.network.eval()
    for module in run.network.modules():
        if isinstance(module, _BatchNorm):
            module.train()
    return run


def with_batch_norm() -> list[tuple[str, str]]:
    networks = [name for name in own("method") if not issubclass(registry.load("method", name), Alias)]
    pairs = [(network, backbone) for backbone in own("backbone") for network in networks]
    return [pair for pair in pairs if (run := assembled(*pair)) and has_batch_norm(run.network)]


def has_batch_norm(network: Network) -> bool:
    return any(isinstance(module, _BatchNorm) for module in network.modules())


def batch_of(run: Assembly) -> Batch:
    rows = torch.arange(IMAGES)
    batch = run.splits["train"].batch(rows, rows % len(run.tasks) if run.network.one_task else None)
    assert isinstance(batch.inputs, Tensor)
    return dataclasses.replace(batch, inputs=batch.inputs.clamp(min=BACKGROUND))


def gradient(network: Network, batch: Batch) -> Tensor:
    with WithoutKinks():
        total = network.losses(batch).means.sum()
    weights = list(network.parameters())
    found = torch.autograd.grad(total, weights, allow_unused=True, materialize_grads=True)
    return torch.cat([one.flatten() for one in found]).double()


def gradient_in_float64(network: Network, batch: Batch) -> Tensor:
    """By torch's own normalization, of maps in NCHW."""
    network = copy.deepcopy(network).to(torch.float64, memory_format=torch.contiguous_format)
    for module in network.modules():
        if isinstance(module, BatchNorm):
            module.__class__ = nn.BatchNorm2d
    assert isinstance(batch.inputs, Tensor)
    inputs = batch.inputs.to(torch.float64).clone(memory_format=torch.contiguous_format)
    return gradient(network, dataclasses.replace(batch, inputs=inputs))


def error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize(("network", "backbone"), with_batch_norm())
def test_the_gradient_is_that_of_float64(network: str, backbone: str) -> None:
    run = assembled(network, backbone)
    assert run is not None
    batch = batch_of(run)
    expected = gradient_in_float64(run.network, batch)
    assert error(gradient(run.network, batch), expected) < 1e-4
