"""All tasks alike."""

from torch import Tensor

from mtbench.contract import Losses, LossWeighting

__all__ = ["Uniform"]


class Uniform(LossWeighting):
    """The plain loss: the mean over tasks, or over the labels used where one task is drawn per image.

    All-tasks networks: (1/T) sum_t L_t over the tasks that are present. One-task networks: sum_t (n_t / n) L_t.
    """

    def weigh(self, losses: Losses) -> Tensor:
        return losses.share
