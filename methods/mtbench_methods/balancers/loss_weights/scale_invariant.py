"""Scale-invariant scalarization."""

from torch import Tensor

from mtbench.contract import Losses, Scalarization

__all__ = ["ScaleInvariant"]

SMALL = 1e-8


class ScaleInvariant(Scalarization):
    """Scale-invariant scalarization: the sum of the losses' logarithms, sum_t log L_t.

    Its gradient is sum_t g_t / L_t, which does not depend on the units of a loss.

    Chosen here: 1e-8 is added to each loss, which must be positive.

    Compared with: the closed form of its gradient, default tolerance
    (balancers/loss_weights/test_scale_invariant.py::test_each_task_weighs_one_over_its_loss).
    """

    needs_positive_losses = True
    paper = "Lin et al., Dual-Balancing for Multi-Task Learning, 2023, whose loss-scale balancing it is"
    title = "Scale-invariant"
    bibtex = """@misc{lin2023dual,
      title = {Dual-Balancing for Multi-Task Learning},
      author = {Lin, Baijiong and others},
      eprint = {2308.12029},
      archiveprefix = {arXiv},
      year = {2023},
    }"""

    def scalar(self, losses: Losses) -> Tensor:
        return (losses.totals[losses.present_mask] + SMALL).log().sum()
