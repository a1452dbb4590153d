"""What a network makes of its inputs on the way to an answer: the representation, and the last hidden layer.

They are found by hooks, without a network having to offer them: the head is where an answer comes from.
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
"""A linear layer, and what it was given and gave: (..., in) and (..., out)."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """Where in the order of the calls of linear layers, on the way to one task's answer, its head stands.

    Attributes:
        depths: by depth, the position of the call whose input it is: ``representation``, what enters the head, and
            ``hidden``, what enters its last layer; the latter is left out where the head is one layer.
        hidden: the width of what enters the last layer.
    """

    depths: Mapping[str, int]
    hidden: int


@dataclass(frozen=True, kw_only=True)
class Features:
    """What was seen of a split while one task was asked for.

    Attributes:
        by_depth: (N, width) at each depth of the head.
        classes: (N,) the classes that the network answered.
    """

    by_depth: Mapping[str, Tensor]
    classes: Tensor


def find_head(network: Network, split: Split, index: int) -> Head | None:
    """Return the head that one task's answer comes from; None if no linear layer gives that answer.

    Of all linear layers that run, the output layer is the one from which the fewest operations lead to the answer: a
    network may run every task's head to answer for one. The head is the innermost `nn.Sequential` that it is in.
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
    """Return the features of every example of a split, in evaluation mode, and the answers.

    Args:
        index: the task that is asked for.
        head: what `find_head` found for it.
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
    """Return the position of the call whose output is the fewest steps up the graph from the answer."""
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
    """Return the modules of the innermost sequence that a layer is in; of a layer in none, itself alone."""
    around = [
        set(module.modules())
        for module in network.modules()
        if isinstance(module, nn.Sequential) and layer in set(module.modules())
    ]
    return min(around, key=len, default={layer})


def _where_it_begins(calls: list[Call], last: int, members: set[nn.Module]) -> int:
    """Return the position of the head's first layer: the head's calls end at `last`, and before them it may have run
    for other tasks."""
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
    """Within the block the graph is kept of every parameter, frozen ones too."""
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
    """Within the block, every call of a linear layer is put down in the list that is given."""
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
