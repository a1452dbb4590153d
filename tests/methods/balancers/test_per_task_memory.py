import io

import pytest
import torch
from torch import Tensor, nn

from mtbench_methods.balancers.loss_weights.task_adam import TaskAdam
from mtbench_methods.balancers.memory import PerTask


def revived(module: nn.Module, fresh: nn.Module) -> None:
    """Put what a file would hold of the one into the other."""
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    fresh.load_state_dict(torch.load(file, weights_only=True))


def test_it_starts_at_zero_and_remembers_each_tasks_row_in_its_place() -> None:
    memory, rows = PerTask(3), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert memory.of(torch.tensor([0, 2]), rows).tolist() == [[0, 0], [0, 0]]
    memory.put(torch.tensor([2, 0]), rows)
    assert memory.of(torch.tensor([0, 1, 2]), rows).tolist() == [[3, 4], [0, 0], [1, 2]]


def test_what_it_hands_out_does_not_change_with_what_it_remembers_later() -> None:
    memory, indices = PerTask(2), torch.tensor([0, 1])
    before = memory.of(indices, torch.zeros(2, 3))
    memory.put(indices, torch.ones(2, 3))
    assert before.tolist() == [[0] * 3] * 2


@pytest.mark.parametrize("steps", [0, 3])
def test_a_memory_goes_through_a_file_with_the_same_bits(steps: int) -> None:
    memory, other, indices = PerTask(3), PerTask(3), torch.tensor([0, 2])
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        rows = torch.randn(2, 5, generator=generator)
        memory.of(indices, rows)
        memory.put(indices, rows)
    revived(memory, other)
    every, like = torch.arange(3), torch.zeros(3, 5)
    assert torch.equal(other.of(every, like), memory.of(every, like))
    other.put(indices, torch.ones(2, 5))
    assert (memory.of(indices, like) != 1).all()  # the two have nothing in common from then on


def test_an_older_state_makes_it_forget() -> None:
    memory, like = PerTask(1), torch.ones(1, 2)
    memory.of(torch.tensor([0]), like)
    memory.put(torch.tensor([0]), like)
    revived(PerTask(1), memory)
    assert memory.of(torch.tensor([0]), like).tolist() == [[0, 0]]


@pytest.mark.parametrize("stop", [0, 1, 7])
def test_adam_goes_on_from_a_file_with_the_same_bits(stop: int) -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(12, 3, generator=generator)
    present = [torch.tensor([task for task in range(3) if step % (task + 1) == 0]) for step in range(12)]

    def moved(adam: TaskAdam, values: Tensor, steps: range) -> Tensor:
        values = values.clone()
        for step in steps:
            adam.step(values, gradients[step][present[step]], present[step])
        return values

    whole = moved(TaskAdam(3, lr=0.05, weight_decay=0.1), torch.ones(3), range(12))
    first, second = (TaskAdam(3, lr=0.05, weight_decay=0.1) for _ in range(2))
    half = moved(first, torch.ones(3), range(stop))
    revived(first, second)
    assert torch.equal(moved(second, half, range(stop, 12)), whole)
