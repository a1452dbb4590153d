"""Features of a network on the way to an answer: the representation, and the last hidden layer.

They are found by hooks, without an interface of the network: the head is the part that an answer comes from.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from mtbench.contract import Network, Split
from mtbench.train.batches.prefetch import batches
from mtbench.train.outputs import batch_size

__all__ = ["Features", "Head", "find_head", "gather"]

Call: TypeAlias = tuple[nn.Linear, Tensor, Tensor]
"""A linear layer, its input (..., in) and its output (..., out)."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The position of a task's head in the order of the calls of linear layers.

    Attributes:
        depths: position of the call whose input is the feature, by depth: ``representation``, the input of the head,
            and ``hidden``, the input of its last layer; the latter is left out if the head is one layer.
        hidden: the width of the input of the last layer.
    """

    depths: Mapping[str, int]
    hidden: int


@dataclass(frozen=True, kw_only=True)
class Features:
    """The features of a split with the network asked for one task.

    Attributes:
        by_depth: (N, width) features at each depth of the head.
        classes: (N,) the classes that the network answered.
    """

    by_depth: Mapping[str, Tensor]
    classes: Tensor


def find_head(network: Network, split: Split, index: int) -> Head | None:
    """Return the head that one task's answer comes from; None if no linear layer gives that answer.

    Among all linear layers that run, the output layer is the one with the fewest operations to the answer: a network
    may run every task's head to answer for one. The head is the innermost `nn.Sequential` that contains it.
    """
    inputs = split.batch(torch.arange(min(len(split), 2), device=split.defined.device)).inputs
    with _evaluating(network), _all_trained(network), _listening(network) as calls:
        answer = network.task_output(inputs, index)
    last = _nearest(answer, calls)
    if last is None:
        return None
    first = _where_it_begins(calls, last, _innermost_sequential(network, calls[last][0]))
    depths = {"representation": first} | ({"hidden": last} if last != first else {})
    return Head(depths=depths, hidden=calls[last][0].in_features)


def gather(network: Network, split: Split, index: int, head: Head) -> Features:
    """Return the features and the answers for every example of a split, in evaluation mode.

    Args:
        index: the index of the task.
        head: the result of `find_head` for it.
    """
    found: dict[str, list[Tensor]] = {depth: [] for depth in head.depths}
    classes = []
    rows_of_split = torch.arange(len(split), device=split.defined.device)
    for batch in batches(split, [(rows, None) for rows in torch.split(rows_of_split, batch_size(network, split))]):
        with _evaluating(network), torch.no_grad(), _listening(network) as calls:
            output = network.task_output(batch.inputs, index)
        for depth, position in head.depths.items():
            found[depth].append(calls[position][1].detach().flatten(1))
        classes.append(output.argmax(1))
    return Features(by_depth={depth: torch.cat(parts) for depth, parts in found.items()}, classes=torch.cat(classes))


def _nearest(answer: Tensor, calls: list[Call]) -> int | None:
    """Return the position of the call whose output has the fewest steps in the graph to the answer."""
    outputs = {output.grad_fn: position for position, (_, _, output) in enumerate(calls)}
    front, seen = [answer.grad_fn], {answer.grad_fn}
    while front:
        for node in front:
            if node in outputs and node is not None:
                return outputs[node]
        above = [parent for node in front if node is not None for parent, _ in node.next_functions]
        front = [node for node in dict.fromkeys(above) if node not in seen]
        seen.update(front)
    return None


def _innermost_sequential(network: nn.Module, layer: nn.Linear) -> set[nn.Module]:
    """Return the modules of the innermost sequence that contains a layer; the layer itself if there is none."""
    around = [
        set(module.modules())
        for module in network.modules()
        if isinstance(module, nn.Sequential) and layer in set(module.modules())
    ]
    return min(around, key=len, default={layer})


def _where_it_begins(calls: list[Call], last: int, members: set[nn.Module]) -> int:
    """Return the position of the head's first layer: the head's calls end at `last`, after calls for other tasks."""
    first, passed = last, {calls[last][0]}
    for position in range(last - 1, -1, -1):
        layer = calls[position][0]
        if layer in passed:
            break
        if layer in members:
            first = position
            passed.add(layer)
    return first


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


@contextmanager
def _all_trained(network: nn.Module) -> Iterator[None]:
    """Keep the graph of every parameter within the block, including frozen ones."""
    frozen = [parameter for parameter in network.parameters() if not parameter.requires_grad]
    with torch.enable_grad():
        try:
            for parameter in frozen:
                parameter.requires_grad_()
            yield
        finally:
            for parameter in frozen:
                parameter.requires_grad = False


@contextmanager
def _listening(network: nn.Module) -> Iterator[list[Call]]:
    """Append every call of a linear layer within the block to the list that the block receives."""
    calls: list[Call] = []

    def listen(module: nn.Module, given: tuple[Tensor, ...], named: dict[str, Tensor], output: Tensor) -> None:
        assert isinstance(module, nn.Linear)
        calls.append((module, given[0] if given else named["input"], output))

    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    hooks = [layer.register_forward_hook(listen, with_kwargs=True) for layer in layers]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()
