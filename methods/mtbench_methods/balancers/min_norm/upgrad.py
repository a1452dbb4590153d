"""Unconflicting projection of gradients."""

import numpy as np

from ..gramian import ByGramian, Geometry, Weighed
from .solver import projected

__all__ = ["UPGrad"]


class UPGrad(ByGramian):
    """UPGrad (Quinton & Rey 2024): each gradient is projected so that it harms no task, then they are averaged.

    (1/P) sum_t pi(g_t), pi the projection onto the cone of all d with <d, g_i> >= 0 for every task i. Task-specific
    parameters receive the unweighted gradient of their task.

    Chosen here: the cone depends only on the directions of the gradients, so that a task with a short gradient is not
    harmed either; TorchJD adds 1e-4 to the diagonal of the inner products, and harms tasks with gradients a hundred
    times shorter than the others'.

    Compared with: TorchJD's UPGrad with less on the diagonal, rtol=1e-3, atol=1e-4
    (balancers/test_directions.py::test_it_is_torchjds_aggregator).
    """

    paper = "Quinton & Rey, Jacobian Descent for Multi-Objective Optimization, 2024"
    title = "UPGrad"
    bibtex = r"""@misc{quinton2024jacobian,
      title = {{Jacobian} Descent for Multi-Objective Optimization},
      author = {Quinton, Pierre and Rey, Val{\'e}rian},
      eprint = {2406.16232},
      archiveprefix = {arXiv},
      year = {2024},
    }"""

    def weigh(self, geometry: Geometry) -> Weighed:
        cosines, lengths = geometry.cosines, geometry.lengths
        total, solved = lengths.copy(), True
        for t in np.flatnonzero(cosines.min(axis=1) < 0):  # the others are in the cone
            found = projected(cosines, np.eye(len(cosines))[t])
            total += lengths[t] * found.coefficients
            solved = solved and found.solved
        return Weighed(weights=total / lengths / geometry.present, solved=solved)

    def gain(self, count: int) -> float:  # noqa: ARG002
        return 1.0
