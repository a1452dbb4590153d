"""Balancers whose weights follow from the inner products of the tasks' gradients alone."""

import math
from abc import abstractmethod
from typing import Any

from torch import Tensor

from mtbench.contract import Combined, GradientBalancer
from mtbench.errors import UsageError

__all__ = ["ByGramian", "weights_of"]


class ByGramian(GradientBalancer):
    """A balancer whose subclasses give `weigh`, the weights of the gradients from their inner products.

    Inner products are taken in double precision, divided by their trace, and solved on the CPU: there are T^2 of them.
    TorchJD has thresholds that are absolute, so that gradients shorter than .01 would count as none at all; divided,
    gradients of any length get the weights of their directions. Where a gradient is not finite, or all are 0, the
    weights are equal; of the former the loop says which loss broke.
    """

    @abstractmethod
    def weigh(self, gramian: Tensor, indices: Tensor) -> Tensor:
        """(P,) the weights of the gradients.

        Args:
            gramian: (P, P) their inner products divided by their trace, float64 on the CPU.
            indices: (P,) int64, the indices of their tasks.
        """

    def combine(self, gradients: Tensor, losses: Tensor, indices: Tensor) -> Combined:  # noqa: ARG002
        wide = gradients.double()
        gramian = (wide @ wide.T).cpu()
        trace = float(gramian.trace())
        usual = math.isfinite(trace) and trace > 0
        equal = gramian.new_full((len(indices),), 1 / len(indices))
        weights = (self.weigh(gramian / trace, indices.cpu()) if usual else equal).to(gradients)
        return Combined(shared=weights @ gradients, own=self.branches(weights), weights=weights)

    def branches(self, weights: Tensor) -> Tensor | None:  # noqa: ARG002
        """What the gradients of the tasks' own parameters are multiplied by; by default nothing."""
        return None


def weights_of(name: str, extra: str = "", **arguments: Any) -> Any:
    """A weighting or an aggregator of TorchJD, which is imported only here: that takes more than a second.

    Raises:
        UsageError: it needs a package that is not installed.
    """
    from torchjd import aggregation

    try:
        return getattr(aggregation, name)(**arguments)
    except ImportError as cause:
        what = str(cause).partition(". ")[0]  # goes on with a line for pip that installs another extra
        raise UsageError(f"TorchJD says: {what}.", mend=f"Install it: pip install '{extra}'.") from cause
