"""The state in a checkpoint, compared with what the run writes itself before anything is computed with it.

Whoever alters a checkpoint can compute its checksum again. torch believes the state of an optimizer: its fused forms
read and write the memory behind a tensor that is smaller than its parameter.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from mtbench.contract import Task
from mtbench.store.record import CurvePoint

__all__ = ["check_curve", "check_plain_parts", "restore_optimizer"]

_FREE = ("params", "lr")
"""Entries of a group that are not compared: indices, and the learning rate, which is set in each step."""


def check_plain_parts(state: Mapping[str, Any], *, epochs: int, tasks: int, network: Mapping[str, Tensor]) -> None:
    """Refuse a state with parts that no run of so many epochs and tasks writes.

    Args:
        state: the state of the run, see `mtbench.train.loop.fit`.
        epochs: number of epochs of the run, in all phases.
        tasks: number of tasks.
        network: the state of the network as it is built.

    Raises:
        ValueError: it has one.
    """
    epoch, ledger, weights, selected = (state[name] for name in ("epoch", "ledger", "weights", "selected"))
    if type(epoch) is not int or not 0 < epoch <= epochs:
        raise ValueError(f"it is of epoch {epoch!r}, and the run has {epochs}")
    for name, value in ledger.items():
        if type(value) not in (int, float) or not 0 <= value < math.inf:
            raise ValueError(f"its {name} are {value!r}")
    if not isinstance(weights, Tensor) or weights.shape != (4, tasks) or weights.dtype != torch.float64:
        raise ValueError("its task weights have another shape")
    if selected is not None and _shapes(selected) != _shapes(network):
        raise ValueError("the weights of its selected epoch have other names or shapes")


def check_curve(curve: Sequence[CurvePoint], tasks: Sequence[Task], split: str) -> None:
    """Refuse a curve with a point that lacks the primary metric of a task on a split.

    Raises:
        LookupError: there is one.
    """
    for point in curve:
        for task in tasks:
            point.results[split][task.name].metrics[task.kind.metrics[0].name]


def restore_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Load the state of an optimizer that was built alike, and has made steps since.

    Raises:
        ValueError: a setting of it differs, or a tensor has neither the shape of its parameter nor is a single number.
        Exception: the error of torch for a state that lacks something.
    """
    settings = [_settings(group) for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    if [_settings(group) for group in optimizer.param_groups] != settings:
        raise ValueError("its optimizer has other settings")
    known = {parameter for group in optimizer.param_groups for parameter in group["params"]}
    for parameter, values in optimizer.state.items():
        if parameter not in known:
            raise ValueError("its optimizer has the state of a parameter that is not trained")
        for name, value in values.items():
            if value is not None and not _fits(name, value, parameter):
                raise ValueError(f"the '{name}' of its optimizer has another shape or type than the parameter")
    for group in optimizer.param_groups:
        names = {frozenset(optimizer.state[each]) for each in group["params"] if optimizer.state.get(each)}
        if len(names) > 1:
            raise ValueError("its optimizer has parts for some parameters that it lacks for others")


def _fits(name: str, value: object, parameter: Tensor) -> bool:
    if not isinstance(value, Tensor):
        return False
    return value.shape == (() if name == "step" else parameter.shape) and value.is_floating_point()


def _settings(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name not in _FREE}


def _shapes(state: Mapping[str, Any]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (value.shape, value.dtype) for name, value in state.items()}
