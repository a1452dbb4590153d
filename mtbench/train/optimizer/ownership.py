"""The numbers of a network that belong to one task alone, found by the gradients of its answers.

Each task is asked about one input, and the gradient of a random combination of all these answers is taken; then, for
each bit of the tasks' numbers, that of the answers of the tasks that have the bit. What one task alone reaches has in
each of these gradients all of the first one or nothing, which spells its task. So T tasks take log2(T) + 1
backward passes and not T, in groups as large as the inputs where a network answers one task per input.
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
"""The number of draws of inputs and weights: a unit that is dead in one draw is not so in all."""
MANY = 64
"""Up to how many tasks all draws are taken; with more of them one is, in which many tasks show the same parameters."""
JITTER = 0.1
"""The distance that weights are moved while looking, relative to their size: a 0 would hide what lies before it."""
EQUAL = 1e-4
"""The relative difference of two gradients of one number that are equal but for the order of their sums."""
NOBODY, SHARED = -1, -2


@dataclass(frozen=True)
class Whole:
    """A parameter that is one task's as a whole, such as those of a branch."""

    task: int


@dataclass(frozen=True)
class Stacked:
    """A parameter of which each task has its own index along one dimension of size T, such as vectors (T, C)."""

    dimension: int


Owner: TypeAlias = Whole | Stacked


def owners(network: Network, like: Inputs, *, seed: int) -> dict[str, Owner]:
    """Return to whom the parameters belong in which tasks have something of their own, by name.

    They are looked for in the parts that the network declares `per_task`. A parameter that only one task's answers have
    a gradient in is wholly that task's. One that several tasks have a gradient in is parted along the first dimension
    of size T in which each of them is confined to its own index, such as the columns of an embedding (C, T). Whatever
    else there is, such as the bias of an embedding, is shared and left out.

    The network is left as it was found.

    Args:
        like: a few inputs (B, ...), whose floating tensors are replaced by random ones.
        seed: of the run.
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
    """Return the numbers that answer one task and no other, by parameter: bool masks of the parameters' shapes.

    A parameter that holds nothing of the task's own is left out. The arguments are those of `owners`.

    Args:
        index: of the task.
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
    """Yield the tasks that are looked at together: all where one pass answers them all, else one for each input."""
    count = len(network.tasks)
    size = min(_length(inputs), count) if network.one_task else count
    for first in range(0, count, size):
        yield range(first, min(first + size, count))


def _looked_at(parameter: Tensor, tasks: int) -> torch.Size:
    """Return the shape in which it is noted who reaches a parameter: number by number where it may be parted among the
    tasks, else as a whole, so that no more memory is taken than a step of training takes."""
    return parameter.shape if tasks in parameter.shape else torch.Size()


def _reach(
    network: Network,
    inputs: Inputs,
    tasks: range,
    parameters: Mapping[str, nn.Parameter],
    reached: Mapping[str, Tensor],
    generator: torch.Generator,
) -> None:
    """Note in `reached`, for each number of the parameters or for the whole, which of some tasks' answers reach it."""
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
    """Return the findings on each number of a parameter, or on all where it is noted as a whole."""
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
    """Return the gradient of the sum of the answers in the parameters that have a part in it, by name."""
    total = torch.stack(list(answers)).sum()
    if not total.requires_grad:
        return {}
    found = torch.autograd.grad(total, list(parameters.values()), retain_graph=True, allow_unused=True)
    return {name: gradient for name, gradient in zip(parameters, found, strict=True) if gradient is not None}


def _owner(reached: Tensor, tasks: int) -> Owner | None:
    """Return whose a parameter is, given for each of its numbers the task that reaches it, `NOBODY` or `SHARED`."""
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
    """Return standard normal inputs of the same shapes; what is not of a floating type stays as it is."""

    def drawn(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor
        return torch.randn(tensor.shape, generator=generator).to(tensor)

    return drawn(like) if isinstance(like, Tensor) else {name: drawn(value) for name, value in like.items()}
