"""A network without images, whose losses and gradients are known in closed form."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtbench.backbones.lenet import LeNet
from mtbench.contract import AllTasksNetwork, Batch, Classification, Inputs, Losses, NoOptions, Setup, Task


class Quadratic(AllTasksNetwork):
    """L_t = a_t |W - c_t|^2 / 2 + u_t^2 / 2, with W (1, n) shared and u_t a parameter of task t alone.

    The gradients are a_t (W - c_t) and u_t. Which tasks are present is as `batch_of` has it.
    """

    per_task = frozenset({"own"})
    last_shared_part = "weight"

    def __init__(self, sizes: Sequence[float], centers: Sequence[Sequence[float]], own: float = 0.0) -> None:
        tasks = tuple(Task(name=f"task{index}", kind=Classification(classes=2)) for index in range(len(sizes)))
        super().__init__(
            NoOptions(),
            Setup(tasks=tasks, backbone_class=LeNet, backbone_options=NoOptions(), input_shape=(1, 1, 1), seed=0),
        )
        self.sizes, self.centers = torch.tensor(sizes), torch.tensor(centers)
        self.weight = nn.Parameter(torch.zeros(1, self.centers.shape[1]))
        self.own = nn.ParameterList([nn.Parameter(torch.tensor(own)) for _ in sizes])

    def forward(self, inputs: Inputs) -> list[Tensor]:
        raise NotImplementedError

    def losses(self, batch: Batch) -> Losses:
        counts = batch.use.sum(1)
        means = self.sizes * (self.weight - self.centers).square().sum(1) / 2
        means = means + torch.stack([value.square() / 2 for value in self.own])
        return Losses(means=means * (counts > 0), counts=counts, base_weights=self.base_weights(counts))


def batch_of(*present: bool) -> Batch:
    """Return a batch in which these tasks are present."""
    return Batch(
        inputs=torch.zeros(1, 1),
        targets=tuple(torch.zeros(1) for _ in present),
        use=torch.tensor(present)[:, None],
        drawn=None,
        inputs_per_example=1,
        rows=torch.zeros(1, dtype=torch.int64),
        foreground=None,
    )


def losses_of(
    means: Sequence[float], *, present: Sequence[bool] | None = None, base_weights: Sequence[float] | None = None
) -> Losses:
    """Return losses whose means are leaves, 0 where a task is absent, by default weighted as an all-tasks network
    does."""
    here = torch.tensor([True] * len(means) if present is None else present)
    weights = here / here.sum() if base_weights is None else torch.tensor(base_weights)
    return Losses(means=(torch.tensor(means) * here).requires_grad_(), counts=here.long(), base_weights=weights)
