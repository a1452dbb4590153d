"""The numbers of a network that belong to only one task, found by the gradients of its answers.

Each task is asked about one input, and the gradient of a random combination of all these answers is computed; then, for
each bit of the tasks' numbers, the gradient of the answers of the tasks that have the bit. A number that affects one
task alone has in each of these gradients either the value of the first one or 0, which encodes its task. So T tasks
take log2(T) + 1 backward passes and not T, in groups as large as the inputs if a network answers one task per input.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from mtbench.contract import Batch, Inputs, Network, stream

__all__ = ["Owner", "Stacked", "Whole", "owned", "owners"]

DRAWS = 4
"""The number of draws of inputs and weights: a unit that is dead in one draw is not dead in all."""
MANY = 64
"""The largest number of tasks with all draws; more tasks have one draw, in which many have the same parameters."""
JITTER = 0.1
"""The relative change of weights during the search: a 0 would hide the layers before it."""
EQUAL = 1e-4
"""The relative difference of two gradients of one number that are equal up to the order of their sums."""
NOBODY, SHARED = -1, -2


@dataclass(frozen=True)
class Whole:
    """A parameter that belongs to one task as a whole, such as those of a branch."""

    task: int


@dataclass(frozen=True)
class Stacked:
    """A parameter in which each task has its own index along one dimension of size T, such as vectors (T, C)."""

    dimension: int


Owner: TypeAlias = Whole | Stacked


def owners(network: Network, like: Inputs, *, seed: int) -> dict[str, Owner]:
    """Return the owners of the parameters in which tasks have numbers of their own, by name.

    Only the parts that the network declares `per_task` are searched. A parameter in which only one task's answers have
    a gradient belongs to that task as a whole. A parameter in which several tasks have a gradient is divided along the
    first dimension of size T in which each of them is confined to its own index, such as the columns of an embedding
    (C, T). All other parameters, such as the bias of an embedding, are shared and left out.

    The network does not change.

    Args:
        like: a few inputs (B, ...), whose floating tensors are replaced by random ones.
        seed: the seed of the run.
    """
    parameters = {
        name: parameter
        for name, parameter in network.named_parameters()
        if name.partition(".")[0] in network.per_task and parameter.requires_grad
    }
    reached = {
        name: torch.full(_looked_at(value, len(network.tasks)), NOBODY, dtype=torch.int32, device=value.device)
        for name, value in parameters.items()
    }
    draws = DRAWS if len(network.tasks) <= MANY else 1
    for draw in range(draws if parameters else 0):
        generator = stream(seed, "ownership", draw)
        with _moved(network, generator):
            inputs = _random(like, generator)
            for tasks in _groups(network, inputs):
                _reach(network, inputs, tasks, parameters, reached, generator)
    found = {name: _owner(by, len(network.tasks)) for name, by in reached.items()}
    return {name: owner for name, owner in found.items() if owner is not None}


def owned(network: Network, index: int, like: Inputs, *, seed: int) -> dict[str, Tensor]:
    """Return the numbers that answer only one task, by parameter: bool masks of the parameters' shapes.

    A parameter without numbers of that task is left out. The arguments are those of `owners`.

    Args:
        index: the index of the task.
    """
    masks = {}
    for name, owner in owners(network, like, seed=seed).items():
        mask = torch.zeros_like(network.get_parameter(name), dtype=torch.bool)
        match owner:
            case Whole(task) if task == index:
                masks[name] = ~mask
            case Stacked(dimension):
                mask.select(dimension, index).fill_(True)
                masks[name] = mask
    return masks


def _groups(network: Network, inputs: Inputs) -> Iterator[range]:
    """Yield the tasks that are searched together: all if one pass answers them all, else one for each input."""
    count = len(network.tasks)
    size = min(_length(inputs), count) if network.one_task else count
    for first in range(0, count, size):
        yield range(first, min(first + size, count))


def _looked_at(parameter: Tensor, tasks: int) -> torch.Size:
    """Return the shape of the notes on the tasks that affect a parameter: one per number, or one for the whole.

    One per number is needed if the parameter may be divided among the tasks; otherwise memory stays at that of a
    training step.
    """
    return parameter.shape if tasks in parameter.shape else torch.Size()


def _reach(
    network: Network,
    inputs: Inputs,
    tasks: range,
    parameters: Mapping[str, nn.Parameter],
    reached: Mapping[str, Tensor],
    generator: torch.Generator,
) -> None:
    """Note in `reached`, for each number of the parameters or for the whole, the task whose answers affect it."""
    answers = _answers(network, inputs, tasks, generator)
    if not any(answer.requires_grad for answer in answers):
        return
    every = _gradients(answers, parameters)
    code = {name: torch.zeros_like(by) for name, by in reached.items()}
    mixed = {name: torch.zeros_like(by, dtype=torch.bool) for name, by in reached.items()}
    touched = {name: ~_all(gradient == 0, reached[name]) for name, gradient in every.items()}
    for bit in range((len(tasks) - 1).bit_length()):
        part = _gradients([answer for number, answer in enumerate(answers) if number >> bit & 1], parameters)
        for name, whole in every.items():
            gradient = part[name] if name in part else torch.zeros_like(whole)
            by, slack = reached[name], EQUAL * whole.abs()
            has = _all((gradient - whole).abs() <= slack, by)
            lacks = _all(gradient.abs() <= slack, by)
            code[name] += (has & ~lacks).int() << bit
            mixed[name] |= ~(has | lacks)
            touched[name] |= ~_all(gradient == 0, by)
    for name in every:
        by = reached[name]
        mixed[name] |= code[name] >= len(tasks)
        by_one = (code[name] + tasks[0]).where(~mixed[name], SHARED)
        before = by.where(by != NOBODY, by_one)
        by.copy_(torch.where(touched[name], before.where(before == by_one, SHARED), by))


def _all(found: Tensor, by: Tensor) -> Tensor:
    """Return the findings for each number of a parameter, or for all if it is noted as a whole."""
    return found if by.dim() else found.all()


def _answers(network: Network, inputs: Inputs, tasks: range, generator: torch.Generator) -> list[Tensor]:
    """Return a random combination of each task's outputs for one of the inputs."""
    rows = torch.arange(_length(inputs))
    use = torch.zeros(len(network.tasks), len(rows), dtype=torch.bool)
    numbers = torch.tensor(tasks)
    use[numbers, (numbers - tasks[0]) % len(rows)] = True
    device = next(network.parameters()).device
    batch = Batch(
        inputs=inputs,
        targets=(),
        use=use.to(device),
        drawn=None,
        inputs_per_example=1,
        rows=rows.to(device),
        foreground=None,
    )
    outputs = network.used_outputs(batch)
    return [
        (torch.randn(outputs[task].shape, generator=generator).to(outputs[task]) * outputs[task]).sum()
        for task in tasks
    ]


def _gradients(answers: Sequence[Tensor], parameters: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """Return the gradient of the sum of the answers in the parameters that affect it, by name."""
    total = torch.stack(list(answers)).sum()
    if not total.requires_grad:
        return {}
    found = torch.autograd.grad(total, list(parameters.values()), retain_graph=True, allow_unused=True)
    return {name: gradient for name, gradient in zip(parameters, found, strict=True) if gradient is not None}


def _owner(reached: Tensor, tasks: int) -> Owner | None:
    """Return the owner of a parameter, given for each of its numbers the task that it affects, `NOBODY` or `SHARED`."""
    touched = reached != NOBODY
    whose = reached[touched].unique()  # type: ignore[no-untyped-call]
    if SHARED in whose or not len(whose):
        return None
    if len(whose) == 1:
        return Whole(int(whose))
    for dimension in range(reached.dim()):
        if reached.shape[dimension] == tasks:
            numbers = torch.arange(tasks, device=reached.device)
            own = numbers.view(-1, *[1] * (reached.dim() - dimension - 1))
            if ((reached == own) | ~touched).all():
                return Stacked(dimension)
    return None


def _length(inputs: Inputs) -> int:
    return len(inputs if isinstance(inputs, Tensor) else next(iter(inputs.values())))


@contextmanager
def _moved(network: Network, generator: torch.Generator) -> Iterator[None]:
    """Change all weights a little within the block, with the network in evaluation mode."""
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
    """Return standard normal inputs of the same shapes; tensors of other than floating types stay unchanged."""

    def drawn(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor
        return torch.randn(tensor.shape, generator=generator).to(tensor)

    return drawn(like) if isinstance(like, Tensor) else {name: drawn(value) for name, value in like.items()}
