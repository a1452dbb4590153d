"""Projecting conflicting gradients."""

import numpy as np
import torch

from ..gramian import ByGramian, Geometry, Weighed

__all__ = ["PCGrad"]


class PCGrad(ByGramian):
    """PCGrad (Yu et al. 2020): each gradient loses what conflicts with the others, one after another; their sum.

    For each task i, h_i = g_i at first; then for each other task j, in random order, where <h_i, g_j> < 0::

        h_i <- h_i - <h_i, g_j> / |g_j|^2 g_j                              (Algorithm 1)

    Public codes (WeiChengTseng's for PyTorch, LibMTL, Nash-MTL) let j be i too: they add back some of g_i where earlier
    projections have turned h_i against it. The shared gradient is sum_i h_i (the paper's; some codes take the mean). A
    task's own parameters receive its plain gradient. Orders are drawn from torch's global generator.
    """

    paper = "Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020"

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
