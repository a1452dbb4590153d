"""Which numbers of a network belong to one task alone, found out from where the gradients of its answers go."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mtbench.contract import Inputs, Network, stream

__all__ = ["owned"]

DRAWS = 4
"""How often inputs and weights are drawn: a unit that is dead in one draw is not so in all."""
JITTER = 0.1
"""How far weights are moved while looking, relative to their size: what starts at 0 would hide what lies before it."""


def owned(network: Network, index: int, like: Inputs, *, seed: int) -> dict[str, Tensor]:
    """The numbers that answer one task and no other, by parameter: bool masks of the parameters' shapes.

    Looked for in the parts that the network declares `per_task`, by the gradients of each task's answer to random
    inputs. A tensor that this task alone has a gradient in is wholly its own, such as those of a branch. A tensor that
    several tasks have a gradient in is its own along the one dimension of size T in which each of them is confined to
    its own index, such as the columns of an embedding (C, T) or vectors stacked to (T, C). Whatever else there is, such
    as the bias of an embedding, is shared. A parameter that holds nothing of the task's own is left out.

    The network is left as it was found.

    Args:
        index: of the task.
        like: a few inputs (B, ...), whose floating tensors are replaced by random ones.
        seed: of the run.
    """
    parameters = {
        name: parameter
        for name, parameter in network.named_parameters()
        if name.partition(".")[0] in network.per_task and parameter.requires_grad
    }
    touched = [
        {name: torch.zeros_like(parameter, dtype=torch.bool) for name, parameter in parameters.items()}
        for _ in network.tasks
    ]
    for draw in range(DRAWS if parameters else 0):
        generator = stream(seed, "ownership", draw)
        with _moved(network, generator):
            inputs = _random(like, generator)
            for task, found in enumerate(touched):
                for name, gradient in _gradients(network, task, inputs, parameters, generator).items():
                    found[name] |= gradient != 0
    masks = {name: _mask([found[name] for found in touched], index) for name in parameters}
    return {name: mask for name, mask in masks.items() if mask.any()}


def _mask(touched: list[Tensor], index: int) -> Tensor:
    """Which numbers of a parameter are the task's own, given per task which of them its answer has a gradient in."""
    having = [task for task, found in enumerate(touched) if found.any()]
    own = torch.zeros_like(touched[index])
    if having == [index]:
        return torch.ones_like(own)
    if index in having:
        for dimension in range(own.dim()):
            if own.shape[dimension] == len(touched) and all(_confined(touched[t], dimension, t) for t in having):
                own.select(dimension, index).fill_(True)
                break
    return own


def _confined(touched: Tensor, dimension: int, index: int) -> bool:
    """Whether nothing is touched beside that index of the dimension."""
    return int(touched.sum()) == int(touched.select(dimension, index).sum())


def _gradients(
    network: Network, task: int, inputs: Inputs, parameters: Mapping[str, nn.Parameter], generator: torch.Generator
) -> dict[str, Tensor]:
    """The gradient of a random combination of one task's outputs in each parameter, 0 where it has no part in it."""
    output = network.task_output(inputs, task)
    factors = torch.randn(output.shape, generator=generator).to(output)
    if not output.requires_grad:
        return {}
    found = torch.autograd.grad(
        (factors * output).sum(), list(parameters.values()), allow_unused=True, materialize_grads=True
    )
    return dict(zip(parameters, found, strict=True))


@contextmanager
def _moved(network: Network, generator: torch.Generator) -> Iterator[None]:
    """Within the block all weights are a little elsewhere, and the network is in evaluation mode."""
    training, before = network.training, [parameter.detach().clone() for parameter in network.parameters()]
    network.eval()
    with torch.no_grad():
        for parameter in network.parameters():
            size = float(parameter.square().mean().sqrt()) or 1.0
            parameter.add_(JITTER * size * torch.randn(parameter.shape, generator=generator).to(parameter))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), before, strict=True):
                parameter.copy_(value)
        network.train(training)


def _random(like: Inputs, generator: torch.Generator) -> Inputs:
    """Standard normal inputs of the same shapes; what is not of a floating type stays as it is."""

    def drawn(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor
        return torch.randn(tensor.shape, generator=generator).to(tensor)

    return drawn(like) if isinstance(like, Tensor) else {name: drawn(value) for name, value in like.items()}
