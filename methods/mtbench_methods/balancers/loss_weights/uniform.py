"""Equal weights for all tasks."""

from torch import Tensor

from mtbench.contract import Losses, LossWeighting

__all__ = ["Uniform"]


class Uniform(LossWeighting):
    """The unweighted loss of the network.

    All-tasks networks: (1/T) sum_t L_t over the tasks that are present. One-task networks: sum_t (n_t / n) L_t, the
    mean over the labels used. Single-task networks: sum_t L_t, each trained as it would be alone.

    Chosen here: the mean and not the sum of the tasks' losses, so that the number of tasks does not change the learning
    rate.

    Compared with: the weighted sum of the tasks' gradients, rtol=1e-4, atol=1e-6
    (test_balancers.py::test_weighted_losses_give_the_weighted_gradient).
    """

    title = "Uniform"
    role = "reference"

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights
