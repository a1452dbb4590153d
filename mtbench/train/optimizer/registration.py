"""Registration: each number that a method declares as trained belongs to one group of the optimizer.

Some published code gave the optimizer the network's parameters alone, so that weights of losses never moved. Such
errors are found here before the first step, or right after the step or the epoch in which they arise.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set

import torch
from torch import Tensor, nn

from mtbench.contract import Balancer, Network
from mtbench.errors import PluginError
from mtbench.train.phases import Phase

__all__ = ["check_groups", "check_phases", "check_registered", "known_to"]


def check_phases(network: Network, plan: Sequence[Phase]) -> None:
    """Check that each parameter that requires a gradient is trained in some phase.

    Raises:
        PluginError: one is trained in no phase.
    """
    trained = {name for phase in plan for name, _ in phase.trained(network)}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad and name not in trained:
            raise PluginError(
                f"parameter '{name}' of {_title(network)} is trained in none of its phases.",
                mend="Name its part in `phases`, or let it not require a gradient.",
                allowed=f"Its phases: {', '.join(phase.name for phase in plan)}.",
            )


def check_groups(network: Network, phase: Phase, groups: Sequence[Sequence[nn.Parameter]]) -> None:
    """Check that each parameter of a phase is once in the groups of an optimizer that is to be built.

    Raises:
        PluginError: a parameter is in no group, or in several.
    """
    times = Counter(id(parameter) for group in groups for parameter in group)
    wanted = [
        *((f"parameter '{name}' of {_title(network)}", p) for name, p in phase.trained(network)),
        *((f"parameter '{name}' of {_title(phase.balancer)}", p) for name, p in phase.balancer.named_parameters()),
    ]
    for what, parameter in wanted:
        count = times[id(parameter)]
        if count != 1 and parameter.requires_grad:
            raise PluginError(
                f"{what} is in {count or 'no'} group{'s' * (count > 1)} of the optimizer, and should be in one.",
                mend="A balancer keeps parameters of the network in a list, not as its own." if count else "",
            )
    check_registered(network, phase, set(times))


def check_registered(network: Network, phase: Phase, known: Set[int]) -> None:
    """Check that the method has no number that requires a gradient and is unknown to the optimizer.

    Args:
        known: the ids of all parameters in the groups of the optimizer.

    Raises:
        PluginError: there is one, such as in a plain list, or made after the optimizer was.
    """
    frozen = {id(network.get_parameter(name)) for name, mask in phase.frozen.items() if mask is None}
    for module in (network, phase.balancer):
        for name, tensor in _trainable(module):
            if id(tensor) not in known and id(tensor) not in frozen:
                raise PluginError(
                    f"'{name}' of {_title(module)} requires a gradient, and no optimizer knows it: it would never be "
                    "trained.",
                    mend="Make it an `nn.Parameter` that is an attribute of a module, or that is in an "
                    "`nn.ParameterList`, by the end of `__init__`.",
                )


def known_to(optimizer: torch.optim.Optimizer) -> set[int]:
    """Return the ids of all parameters of an optimizer."""
    return {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}


def _title(module: nn.Module) -> str:
    return f"{'balancer' if isinstance(module, Balancer) else 'network'} '{type(module).__name__}'"


def _trainable(root: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield every leaf of a module that requires a gradient, by name: its parameters, and tensors among attributes."""
    yield from ((name, value) for name, value in root.named_parameters() if value.requires_grad)
    for path, module in root.named_modules():
        for name, value in vars(module).items():
            if name not in _TORCHS:
                yield from _leaves(value, f"{path}.{name}" if path else name)


def _leaves(value: object, name: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the leaves that require a gradient in an attribute, also within lists, tuples, sets and dictionaries."""
    if isinstance(value, Tensor):
        if value.requires_grad and value.is_leaf:
            yield name, value
    elif isinstance(value, nn.Module):  # in a list or a dictionary of Python's, where torch does not see it
        yield from ((f"{name}.{key}", inner) for key, inner in value.named_parameters() if inner.requires_grad)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}[{key!r}]")
    elif isinstance(value, list | tuple | set | frozenset):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{name}[{index}]")


_TORCHS = frozenset(vars(nn.Module()))
"""Attributes that torch gives every module, including its parameters, its modules and its hooks."""
