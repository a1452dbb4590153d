import pytest
import torch

from mtbench_methods.balancers.loss_weights.task_adam import TaskAdam


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_each_task_moves_as_under_torchs_adam_in_the_steps_it_is_present_in(decay: float) -> None:
    ours, values = TaskAdam(3, lr=0.05, weight_decay=decay), torch.tensor([1.0, -2.0, 0.5])
    theirs = [value.clone() for value in values]
    optimizers = [torch.optim.Adam([value], lr=0.05, weight_decay=decay) for value in theirs]
    generator = torch.Generator().manual_seed(0)
    for step in range(40):
        indices = torch.tensor([task for task in range(3) if step % (task + 1) == 0])
        gradients = torch.randn(len(indices), generator=generator)
        ours.step(values, gradients, indices)
        for task, gradient in zip(indices.tolist(), gradients, strict=True):
            theirs[task].grad = gradient.clone()
            optimizers[task].step()
    assert torch.allclose(values, torch.stack(theirs), atol=1e-6)


def test_a_task_that_is_absent_keeps_its_bits() -> None:
    adam, values = TaskAdam(2, lr=0.05, weight_decay=0.1), torch.tensor([1.0, -2.0])
    adam.step(values, torch.tensor([1.0, 3.0]), torch.tensor([0, 1]))
    before = [values.clone(), *(value.clone() for value in adam.state_dict().values())]
    adam.step(values, torch.tensor([1.0]), torch.tensor([0]))
    for old, new in zip(before, [values, *adam.state_dict().values()], strict=True):
        assert new[1] == old[1]
        assert new[0] != old[0]
