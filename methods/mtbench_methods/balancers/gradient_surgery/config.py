"""Conflict-free gradients."""

import numpy as np

from ..gramian import ALIKE, ByGramian, Geometry, Weighed, equal_angles

__all__ = ["ConFIG"]


class ConFIG(ByGramian):
    """ConFIG (Liu et al. 2025): the direction that has the same angle to every gradient.

    With u_t = g_t / |g_t| and U (P, n) their rows, d = pinv(U) 1 and the update is (sum_t <g_t, d / |d|>) d / |d| (Eq.
    2). Task-specific parameters receive the unweighted gradient of their task.

    Chosen here: singular values of U below P 1.2e-7 of the largest count as 0. The released code uses n 1.2e-7, so that
    from 8 million parameters no direction would be left. If d is 0, as for opposite gradients, the update is 0.

    Compared with: TorchJD's ConFIG, default tolerance
    (balancers/gradient_surgery/test_config.py::test_it_is_torchjds_in_double_precision).
    """

    paper = "Liu et al., ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks, ICLR 2025"
    title = "ConFIG"
    bibtex = """@inproceedings{liu2025config,
      title = {{ConFIG}: Towards Conflict-free Training of Physics Informed Neural Networks},
      author = {Liu, Qiang and Chu, Mengyu and Thuerey, Nils},
      booktitle = {International Conference on Learning Representations (ICLR)},
      year = {2025},
    }"""

    def weigh(self, geometry: Geometry) -> Weighed:
        coefficients, _ = equal_angles(geometry.cosines)
        products = geometry.cosines @ coefficients
        square = coefficients @ products
        if square <= ALIKE**2 * len(coefficients):
            return Weighed(weights=np.zeros_like(coefficients))
        return Weighed(weights=(geometry.lengths @ products) / square * coefficients / geometry.lengths)

    def gain(self, count: int) -> float:
        return float(count)
