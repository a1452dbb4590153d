"""The mean gradient, projected onto the dual cone."""

from ..gramian import ByGramian, Geometry, Weighed
from .solver import projected

__all__ = ["DualProj"]


class DualProj(ByGramian):
    """DualProj (Lopez-Paz & Ranzato 2017): the mean gradient, projected so that it harms no task.

    pi((1/P) sum_t g_t), pi the projection onto the cone of all d with <d, g_i> >= 0 for every task i; the mean itself
    if it conflicts with none. Task-specific parameters receive the unweighted gradient of their task.

    Chosen here: the cone depends only on the directions of the gradients, so that a task with a short gradient is not
    harmed either; TorchJD adds 1e-4 to the diagonal of the inner products, and harms tasks with gradients a hundred
    times shorter than the others'.

    Compared with: TorchJD's DualProj with less on the diagonal, rtol=1e-3, atol=1e-4
    (balancers/test_directions.py::test_it_is_torchjds_aggregator).
    """

    paper = "Lopez-Paz & Ranzato, Gradient Episodic Memory for Continual Learning, NeurIPS 2017"
    title = "DualProj"
    bibtex = """@inproceedings{lopezpaz2017gradient,
      title = {Gradient Episodic Memory for Continual Learning},
      author = {Lopez-Paz, David and Ranzato, Marc'Aurelio},
      booktitle = {Advances in Neural Information Processing Systems},
      year = {2017},
    }"""

    def weigh(self, geometry: Geometry) -> Weighed:
        mean = geometry.lengths / geometry.present
        found = projected(geometry.cosines, mean)
        return Weighed(weights=(mean + found.coefficients) / geometry.lengths, solved=found.solved)

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1.0
