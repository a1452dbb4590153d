"""Constant weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Conformance, Losses, LossWeighting, Task, option
from mtbench.contract.options import render_value
from mtbench.errors import UsageError

__all__ = ["Fixed"]


@dataclass(frozen=True, kw_only=True)
class FixedOptions:
    weights: tuple[float, ...] = option(
        (), "a weight for each task, e.g. .3/.7; used as given", low=0, search="simplex"
    )


class Fixed(LossWeighting):
    """Fixed weights: the base weight of each task in the loss is multiplied by T w_t.

    On an all-tasks network with every task present the result is sum_t w_t L_t; weights 1/T are `uniform` on any
    network.

    Chosen here: weights are taken as they are given, and not normalized.

    Compared with: `uniform`, with weights 1/T, rtol=1e-4, atol=1e-6
    (test_balancers.py::test_fixed_weights_of_one_over_t_are_uniform); the weighted sum of the tasks' gradients,
    rtol=1e-4, atol=1e-6 (test_balancers.py::test_weighted_losses_give_the_weighted_gradient).
    """

    title = "Fixed weights"
    Options = FixedOptions
    conformance = Conformance(
        example=lambda tasks: {
            "weights": "/".join(
                f"{2 * place / len(tasks) / (1 + len(tasks)):.6f}" for place in range(1, 1 + len(tasks))
            )
        }
    )

    def __init__(self, options: FixedOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.register_buffer("weights", torch.tensor(options.weights))

    @classmethod
    def check(cls, options: FixedOptions, tasks: Sequence[Task]) -> None:
        if len(options.weights) != len(tasks) or not any(options.weights):
            raise UsageError(
                f"option 'weights' of balancer 'fixed' is '{render_value(options.weights)}', "
                f"{len(options.weights)} weights for {len(tasks)} tasks.",
                mend=f"Give a weight for each, not all 0, such as {'/'.join([f'{1 / len(tasks):.2g}'] * len(tasks))}.",
                allowed=f"The tasks: {', '.join(task.name for task in tasks)}.",
            )

    def weigh(self, losses: Losses) -> Tensor:
        weights = self.weights
        assert isinstance(weights, Tensor)
        return losses.base_weights * weights.to(losses.base_weights) * len(self.tasks)
