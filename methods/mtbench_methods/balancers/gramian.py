"""Balancers whose weights depend only on the directions and the lengths of the tasks' gradients."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbench.contract import Combined, GradientBalancer

__all__ = ["ROUNDING", "ByGramian", "Geometry", "Matrix", "Vector", "Weighed", "equal_angles", "length"]

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]

ROUNDING = float(np.finfo(np.float32).eps)
"""Relative rounding of the gradients: directions that differ by less, in units of a gradient's length, are equal."""
FITS = 1e-6
"""The largest weight, relative to the largest number of the gradients' dtype, for which sums use that dtype."""
ALIKE = 1e-6
"""The largest error of sums and projections in the condition of a rule, relative to the sum of |w_t| |g_t|."""


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Directions and lengths of the M gradients that are not 0, among those of the P tasks that are present.

    Rules use the two separately, so that none of their thresholds depends on the ratio of the lengths of two tasks.

    Attributes:
        cosines: (M, M) float64, the inner products of the gradients divided by their lengths; 1 on the diagonal.
        lengths: (M,) float64, relative to the longest.
        longest: the length of the longest gradient.
        indices: (M,) int64, the indices of their tasks.
        present: P.
    """

    cosines: Matrix
    lengths: Vector
    longest: float
    indices: NDArray[np.int64]
    present: int

    @classmethod
    def of(cls, gramian: Matrix, indices: NDArray[np.int64]) -> "Geometry":
        """Return the geometry of gradients by their inner products (P, P), at least one of which is not 0.

        They are inner products of float32 numbers in float64, where squares neither underflow nor overflow.
        """
        present, lengths = len(gramian), np.sqrt(gramian.diagonal())
        if not lengths.all():
            moving = np.flatnonzero(lengths)
            gramian, lengths, indices = gramian[np.ix_(moving, moving)], lengths[moving], indices[moving]
        cosines = gramian / lengths[:, None] / lengths
        cosines.flat[:: len(lengths) + 1] = 1
        longest = float(lengths.max())
        return cls(cosines=cosines, lengths=lengths / longest, longest=longest, indices=indices, present=present)


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """The result of a rule.

    Attributes:
        weights: (M,) the weights of the gradients of a `Geometry`.
        solved: True if they meet the condition that defines the rule; an iteration can end before that.
    """

    weights: Vector
    solved: bool = True


class ByGramian(GradientBalancer):
    """A balancer whose subclasses define `weigh`, the weights of the gradients from their inner products.

    Inner products are computed in double precision and solved on the CPU: there are T^2 of them. A task whose gradient
    is 0 has no direction: the rule is applied to the others, and its weight is 0. If a gradient is not finite, or all
    are 0, the weights are equal; in the former case the loop reports the loss that broke.
    """

    @abstractmethod
    def weigh(self, geometry: Geometry) -> Weighed:
        """Return the weights of the gradients that are not 0."""

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        wide = gradients.double()
        gramian = (wide @ wide.T).cpu().numpy()
        trace = float(gramian.trace())
        weights, solved = np.full(len(indices), 1 / len(indices)), True
        if math.isfinite(trace) and trace > 0:
            found = self.weigh(Geometry.of(gramian, indices.cpu().numpy()))
            weights, solved = np.zeros(len(indices)), found.solved
            weights[gramian.diagonal() > 0] = found.weights
        exact, limit = torch.from_numpy(weights).to(wide), torch.finfo(gradients.dtype).max
        rounded = exact.clamp(-limit, limit).to(gradients)
        fits = np.abs(weights).max() < FITS * limit  # if not, its product with a short gradient may
        shared = rounded @ gradients if fits else (exact @ wide).to(gradients)
        return Combined(shared=shared, own=self.branches(rounded, indices), weights=rounded, solved=solved)

    def branches(self, weights: Tensor, indices: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return the factors of the gradients in the task-specific parameters (P,); None, the default, stands for 1.

        Args:
            weights: (P,) the weights of the gradients in the shared parameters.
            indices: (P,) int64, the indices of their tasks.
        """
        return None


def length(coefficients: Vector, cosines: Matrix) -> float:
    """Return the length of a combination of unit gradients (M,)."""
    return math.sqrt(max(float(coefficients @ cosines @ coefficients), 0))


def equal_angles(cosines: Matrix) -> tuple[Vector, bool]:
    """Return the combination of unit gradients that has the same inner product, 1, with each of them.

    Directions in which the unit gradients differ by no more than the rounding of float32 do not count, and among
    equally good combinations the smallest is taken: two tasks with one gradient have equal coefficients.

    Args:
        cosines: C (M, M).

    Returns:
        x (M,), the smallest one with the smallest |C x - 1|, and True if C x = 1 to `ALIKE`.
    """
    values, vectors = np.linalg.eigh(cosines)
    kept = values > (len(values) * ROUNDING) ** 2 * values[-1]
    vectors = vectors[:, kept]
    along = vectors.sum(0)
    missed = 1 - vectors @ along
    return vectors @ (along / values[kept]), float(np.abs(missed).max()) <= ALIKE
