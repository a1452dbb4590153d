"""The Nash bargaining solution among tasks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbench.contract import Task, option

from ..gramian import ByGramian

__all__ = ["NashMtl", "bargain"]

STEPS = 200
STILL = 1e-24
"""Of the greatest squared length: a gradient that is shorter counts as 0, for its weight would overflow."""


@dataclass(frozen=True, kw_only=True)
class NashMtlOptions:
    update_every: int = option(1, "steps after which the weights are computed anew", low=1)


class NashMtl(ByGramian):
    """Nash-MTL (Navon et al. 2022): the update that is the tasks' Nash bargaining solution.

    With M = G G^T, divided by its Frobenius norm, a > 0 solves M a = 1 / a (Eq. 3); the loss is sum_t a_t L_t, for the
    branches too. Solved by Newton's method instead of the paper's sequence of convex programmes (`bargain`). The
    released code clips the shared gradient to length 1, and without the division by the norm it would always be sqrt(P)
    long: ``--set clip=1`` clips, for all methods alike. A task without a gradient, for which there is no bargain, keeps
    its weight, as do those that are absent; weights are 1 at first.
    """

    Options = NashMtlOptions
    paper = "Navon et al., Multi-Task Learning as a Bargaining Game, ICML 2022"

    def __init__(self, options: NashMtlOptions, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.weights: Tensor
        self.steps: Tensor
        self.register_buffer("weights", torch.ones(len(tasks), dtype=torch.float64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:
        before = self.weights[indices.to(self.weights.device)].cpu()
        is_due = int(self.steps) % self.options.update_every == 0
        self.steps += 1
        if not is_due:
            return before
        matrix = (gramian / gramian.norm()).numpy()
        moving = matrix.diagonal() > STILL * matrix.diagonal().max()
        weights = before.numpy().copy()
        weights[moving] = bargain(matrix[np.ix_(moving, moving)], weights[moving])
        self.weights[indices.to(self.weights.device)] = torch.from_numpy(weights).to(self.weights)
        return torch.from_numpy(weights)

    def branches(self, weights: Tensor) -> Tensor:
        return weights

    def gain(self, count: int) -> float:
        return float(count)


def bargain(matrix: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """a > 0 with M a = 1 / a: the one minimum of the strictly convex a^T M a / 2 - sum_t log a_t.

    Newton steps in a_t sqrt(M_tt), which makes gradients of any lengths equally easy. The function is self-concordant:
    with the Newton decrement below 1/4 whole steps converge quadratically, and are taken until rounding stops them;
    before, steps are halved where they do not lower it enough, down to 1 / (1 + decrement), which always does (Boyd &
    Vandenberghe, Convex Optimization, 9.6). Where gradients cancel exactly there is no minimum, so 1e-12 is added to
    the cosines of gradients with themselves.

    Args:
        matrix: M (T, T), symmetric and positive semi-definite, with a positive diagonal.
        start: where to begin, all positive.
    """
    scale = np.sqrt(matrix.diagonal())
    matrix = matrix / scale[:, None] / scale + 1e-12 * np.eye(len(matrix))
    weights = start * scale

    def height(a: NDArray[np.float64]) -> float:
        return float(a @ matrix @ a / 2 - np.log(a).sum())

    least = np.inf
    for _ in range(STEPS):
        slope = matrix @ weights - 1 / weights
        step = np.linalg.solve(matrix + np.diag(weights**-2), -slope)
        decrement = -float(slope @ step)  # squared
        size = 1.0
        if decrement < 1 / 16:
            if decrement >= least / 4:
                break
            least = decrement
        else:
            here, certain = height(weights), 1 / (1 + decrement**0.5)
            while size > certain:
                there = weights + size * step
                if there.min() > 0 and height(there) <= here - 1e-4 * size * decrement:
                    break
                size = max(size / 2, certain)
        weights = weights + size * step
    solution: NDArray[np.float64] = weights / scale
    return solution
