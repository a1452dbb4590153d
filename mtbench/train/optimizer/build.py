"""The optimizer of a phase, as set by its training protocol.

The formulas are in `mtbench.contract.protocol.optimizers`.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from torch import nn

from mtbench.contract import Network, TrainingProtocol
from mtbench.errors import UsageError
from mtbench.train.optimizer.muon import Muon
from mtbench.train.optimizer.registration import check_groups
from mtbench.train.phases import Phase

__all__ = ["build_optimizer", "set_learning_rate"]


def build_optimizer(protocol: TrainingProtocol, network: Network, phase: Phase) -> torch.optim.Optimizer:
    """Return the optimizer of the parameters that a phase trains, without any state yet.

    Each group has a ``factor``: its learning rate as a multiple of the training protocol's. All optimizers except muon
    are in torch's fused form, one pass over each parameter, if that form can read every parameter.

    Raises:
        UsageError: the optimizer is muon, and the network has no matrix for it.
        PluginError: a parameter that is to be trained is in no group, or in several.
    """
    factors = network.lr_factors()
    is_muon = protocol.optimizer == "muon"
    matrices = set(_matrices(network, kernels=protocol.flatten_kernels)) if is_muon else set[nn.Parameter]()
    members: dict[tuple[float, float, bool], list[nn.Parameter]] = {(1.0, protocol.weight_decay, False): []}
    for name, parameter in phase.trained(network):
        key = (factors.get(name.partition(".")[0], 1.0), protocol.weight_decay, parameter in matrices)
        members.setdefault(key, []).append(parameter)
    if own := list(phase.balancer.parameters()):
        members.setdefault((phase.balancer.learning_rate / protocol.lr, 0.0, False), []).extend(own)
    check_groups(network, phase, list(members.values()))
    groups = [
        {"params": parameters, "factor": factor, "weight_decay": decay, **({"matrix": matrix} if is_muon else {})}
        for (factor, decay, matrix), parameters in members.items()
        if parameters
    ]
    if is_muon:
        if not matrices:
            raise UsageError(
                f"optimizer 'muon' is for matrices, and network '{type(network).__name__}' has none.",
                mend="Use --set flatten-kernels=true if it has convolutions, or --set optimizer=adamw.",
            )
        return Muon(groups, lr=protocol.lr, momentum=protocol.momentum, beta1=protocol.beta1)
    fused = all(map(_is_dense, chain(*members.values())))
    optimizer = _elementwise(protocol, groups, fused=fused or None)
    if fused:
        optimizer.register_step_pre_hook(_align_gradients)
    return optimizer


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of each group to its factor times the training protocol's."""
    for group in optimizer.param_groups:
        group["lr"] = group["factor"] * rate


def _elementwise(
    protocol: TrainingProtocol, groups: list[dict[str, Any]], *, fused: bool | None
) -> torch.optim.Optimizer:
    """Return the optimizer of a training protocol, any but muon; in the form that torch chooses if `fused` is None."""
    lr, betas = protocol.lr, (protocol.beta1, 0.999)
    match protocol.optimizer:
        case "adam":
            return torch.optim.Adam(groups, lr=lr, betas=betas, fused=fused)
        case "adamw":
            return torch.optim.AdamW(groups, lr=lr, betas=betas, fused=fused)
        case "sgd":
            return torch.optim.SGD(groups, lr=lr, momentum=protocol.momentum, fused=fused)
        case _:
            accumulated = protocol.initial_accumulator
            return torch.optim.Adagrad(groups, lr=lr, initial_accumulator_value=accumulated, fused=fused)


def _is_dense(parameter: nn.Parameter) -> bool:
    """Return True if a parameter is real and its numbers are contiguous in memory, in any order."""
    return parameter.is_floating_point() and torch.empty_like(parameter).stride() == parameter.stride()


def _align_gradients(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """Give each gradient the strides of its parameter.

    The fused forms of torch 2.14 read both in the order of memory. A gradient in another memory format would silently
    move the wrong numbers.
    """
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is not None and gradient.stride() != parameter.stride():
                parameter.grad = torch.empty_like(parameter).copy_(gradient)


def _matrices(network: Network, *, kernels: bool) -> Iterator[nn.Parameter]:
    """Yield the weights of linear layers, and with `kernels` those of convolutions, (out, in / groups, ...)."""
    kinds = (nn.Linear, *((nn.Conv1d, nn.Conv2d, nn.Conv3d) if kernels else ()))
    for module in network.modules():
        if isinstance(module, kinds):
            yield module.weight
