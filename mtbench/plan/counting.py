"""The size of a network and its operations for one input, counted without weights in memory.

A network is built on torch's meta device, where tensors have a shape and no values: 2.5 billion weights take no memory
there, and 10 GB in float32 elsewhere.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from mtbench.contract import Inputs, Network, Setup, Task, plain_form
from mtbench.plan.chosen import MethodChoice

__all__ = ["Macs", "Part", "count_macs", "count_work", "outline", "parts", "single_task_network", "total", "weights"]

_META, _CPU = torch.device("meta"), torch.device("cpu")
_DRAWS = {nn.init.kaiming_uniform_, nn.init.normal_, nn.init.uniform_}
_MANY = 32
"""Largest number of tasks for which the operations of each are counted."""
_FEW = range(2, 7)
"""Numbers of tasks from which the operations for many tasks are extrapolated, see `count_work`."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a network, and its numbers of trainable parameters: without biases, and in total.

    Attributes:
        per_task: True if it grows with each task.
    """

    name: str
    weights: int
    total: int
    per_task: bool


@dataclass(frozen=True, kw_only=True)
class Macs:
    """Multiply-accumulates for one input: for the answer to one task, and to all."""

    per_task: int
    per_input: int


def outline(method: MethodChoice, setup: Setup) -> Network:
    """Return a network that is only counted: on the meta device, or with initial weights if it cannot be built there.

    The latter is the case if its parts depend on values.

    Raises:
        UsageError, RuntimeError, ...: those of the class of the network.
    """
    try:
        return _built(method, setup, _META)
    except Exception:  # for any error: building it with values settles it
        return _built(method, setup, _CPU)


def parts(network: Network) -> list[Part]:
    """Return the parts of a network, by the names of its attributes, in the order in which they are made."""
    named: dict[str, list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in network.named_parameters():
        named.setdefault(name.partition(".")[0], []).append((name, parameter))
    return [
        Part(name=name, weights=_sum(members, biases=False), total=_sum(members), per_task=name in network.per_task)
        for name, members in named.items()
    ]


def weights(module: nn.Module) -> int:
    """Return the number of trainable parameters of a module, biases left out."""
    return _sum(module.named_parameters(), biases=False)


def total(module: nn.Module) -> int:
    """Return the number of trainable parameters of a module."""
    return _sum(module.named_parameters())


def single_task_network(setup: Setup) -> nn.Module:
    """Return the network of reference of parameter counts: a backbone and one head, as wide as the widest task."""
    backbone = setup.build_backbone()
    return nn.ModuleList([backbone, setup.head(backbone, max(task.kind.output_size for task in setup.tasks))])


def count_macs(network: Network, inputs: Inputs) -> Macs:
    """Count the multiply-accumulates of convolutions and matrix products for these inputs, with torch's flop counter.

    The plain form of the network is counted.

    Args:
        inputs: one input (1, ...), or the V inputs that make up one example.
    """
    return Macs(
        per_task=_macs(lambda: network.task_output(inputs, 0)), per_input=_macs(lambda: network.all_outputs(inputs))
    )


def count_work(method: MethodChoice, setup: Setup) -> Macs:
    """Count the multiply-accumulates of a network for one input, without values where its forward pass needs none.

    A network that answers one task at a time does the same operations for each task of the same size. So its number of
    operations for all T tasks is a polynomial in T of degree 2 at most (an embedding of T numbers is read T times),
    plus a constant difference for each task of another size. For more than 32 tasks it is extrapolated from counts of 2
    to 6 tasks, if these agree with that form: counting 1,645 passes takes minutes.

    Raises:
        UsageError, RuntimeError, ...: those of the class of the network.
    """
    try:
        return _work(method, setup, _META)
    except Exception:
        return _work(method, setup, _CPU)


def _work(method: MethodChoice, setup: Setup, device: torch.device) -> Macs:
    network, inputs = _built(method, setup, device), torch.zeros(1, *setup.input_shape, device=device)
    if not network.one_task or len(setup.tasks) <= _MANY:
        return count_macs(network, inputs)

    def work(tasks: Sequence[Task]) -> int:
        named = tuple(dataclasses.replace(task, name=str(index)) for index, task in enumerate(tasks))
        smaller = _built(method, dataclasses.replace(setup, tasks=named), device)
        return _macs(lambda: smaller.all_outputs(inputs))

    every = _extrapolated(setup.tasks, work)
    if every is None:
        return count_macs(network, inputs)
    return Macs(per_task=_macs(lambda: network.task_output(inputs, 0)), per_input=every)


def _extrapolated(tasks: Sequence[Task], work: Callable[[Sequence[Task]], int]) -> int | None:
    """Return the operations for many tasks from those for few, as `count_work` describes; None if they do not agree."""
    sizes = Counter(task.kind.output_size for task in tasks)
    examples = {task.kind.output_size: task for task in tasks}
    widest = examples[max(sizes)]
    counts = [work([widest] * few) for few in _FEW]
    slopes = [after - before for before, after in pairwise(counts)]
    bends = [after - before for before, after in pairwise(slopes)]
    if len(set(bends)) > 1:
        return None
    more = len(tasks) - _FEW[0]
    every = counts[0] + more * slopes[0] + more * (more - 1) // 2 * bends[0]
    for size, example in examples.items():
        one, two = (work([widest] * (4 - few) + [example] * few) - counts[2] for few in (1, 2))
        if two != 2 * one:
            return None
        every += sizes[size] * one
    return every


def _built(method: MethodChoice, setup: Setup, device: torch.device) -> Network:
    setup = dataclasses.replace(setup, separate=not method.network_class.shares_parameters)
    with device, _Undrawn() if device == _META else nullcontext():
        return method.network_class(method.network_options, setup).eval()


class _Undrawn(TorchFunctionMode):
    """A block in which weights are not initialized, and ReLUs return their input.

    On the meta device there are no values. Torch takes milliseconds for each tensor to notice that, and a second for
    the first ReLU, since that imports torch's compiler (2.14).
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if func in _DRAWS:
            return args[0] if args else given["tensor"]
        if func is nn.functional.relu:
            return args[0] if args else given["input"]
        return func(*args, **given)


def _macs(run: Callable[[], object]) -> int:
    with torch.no_grad(), plain_form(), FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops()) // 2


def _sum(named: Iterable[tuple[str, nn.Parameter]], *, biases: bool = True) -> int:
    return sum(parameter.numel() for name, parameter in named if biases or not name.endswith("bias"))
