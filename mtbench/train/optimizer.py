"""The optimizer of a phase, as its training protocol asks. The formulas are in `mtbench.contract.optimizers`."""

from collections.abc import Iterator

import torch
from torch import nn

from mtbench.contract import Network, TrainingProtocol
from mtbench.errors import UsageError
from mtbench.train.muon import Muon
from mtbench.train.phases import Phase
from mtbench.train.registration import check_groups

__all__ = ["build_optimizer", "set_learning_rate"]


def build_optimizer(protocol: TrainingProtocol, network: Network, phase: Phase) -> torch.optim.Optimizer:
    """Return the optimizer of what a phase trains, without any state yet.

    Each group has a ``factor``: its learning rate as a multiple of the protocol's.

    Raises:
        UsageError: the optimizer is muon, and the network has no matrix for it.
        PluginError: something that is to be trained is in no group, or in several.
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
    match protocol.optimizer:
        case "adam":
            return torch.optim.Adam(groups, lr=protocol.lr, betas=(protocol.beta1, 0.999))
        case "adamw":
            return torch.optim.AdamW(groups, lr=protocol.lr, betas=(protocol.beta1, 0.999))
        case "sgd":
            return torch.optim.SGD(groups, lr=protocol.lr, momentum=protocol.momentum)
        case "adagrad":
            return torch.optim.Adagrad(groups, lr=protocol.lr, initial_accumulator_value=protocol.initial_accumulator)
        case _:
            if not matrices:
                raise UsageError(
                    f"optimizer 'muon' is for matrices, and network '{type(network).__name__}' has none.",
                    mend="Use --set flatten-kernels=true if it has convolutions, or --set optimizer=adamw.",
                )
            return Muon(groups, lr=protocol.lr, momentum=protocol.momentum, beta1=protocol.beta1)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of each group to its factor times the protocol's."""
    for group in optimizer.param_groups:
        group["lr"] = group["factor"] * rate


def _matrices(network: Network, *, kernels: bool) -> Iterator[nn.Parameter]:
    """Yield the weights of linear layers, and with `kernels` those of convolutions, (out, in / groups, ...)."""
    kinds = (nn.Linear, *((nn.Conv1d, nn.Conv2d, nn.Conv3d) if kernels else ()))
    for module in network.modules():
        if isinstance(module, kinds):
            yield module.weight
