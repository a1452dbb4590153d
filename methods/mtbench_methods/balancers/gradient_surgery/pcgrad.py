"""Projecting conflicting gradients."""

import numpy as np
import torch

from ..gramian import ByGramian, Geometry, Weighed

__all__ = ["PCGrad"]


class PCGrad(ByGramian):
    """PCGrad (Yu et al. 2020): the sum of the gradients, each without the parts that conflict with the others.

    For each task i, initially h_i = g_i; then for each other task j, in random order, if <h_i, g_j> < 0::

        h_i <- h_i - <h_i, g_j> / |g_j|^2 g_j                              (Algorithm 1)

    Chosen here: Algorithm 1 leaves j = i out. Public code (WeiChengTseng's for PyTorch, LibMTL, Nash-MTL) includes it,
    and adds back some of g_i if earlier projections have turned h_i against it. The shared gradient is sum_i h_i (the
    paper's; some code takes the mean). Task-specific parameters receive the unweighted gradient of their task. Orders
    are drawn from torch's global generator.

    Compared with: TorchJD's PCGrad with the same random orders, default tolerance
    (balancers/gradient_surgery/test_pcgrad.py::test_it_is_torchjds_with_the_same_random_orders).
    """

    paper = "Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020"
    title = "PCGrad"
    bibtex = """@inproceedings{yu2020gradient,
      title = {Gradient Surgery for Multi-Task Learning},
      author = {Yu, Tianhe and Kumar, Saurabh and Gupta, Abhishek and Levine, Sergey and Hausman, Karol and Finn,
        Chelsea},
      booktitle = {Advances in Neural Information Processing Systems},
      year = {2020},
    }"""

    def weigh(self, geometry: Geometry) -> Weighed:
        cosines, lengths = geometry.cosines, geometry.lengths
        total = np.zeros_like(lengths)
        for i in range(len(lengths)):
            order = torch.randperm(len(lengths)).tolist()
            products, made_of = cosines[i].copy(), np.zeros_like(lengths)  # of h_i / |g_i| with the unit gradients
            made_of[i] = 1
            for j in order:
                product = products[j]
                if product < 0 and j != i:
                    made_of[j] -= product
                    products -= product * cosines[j]
            total += lengths[i] * made_of
        return Weighed(weights=total / lengths)

    def gain(self, count: int) -> float:
        return float(count)
