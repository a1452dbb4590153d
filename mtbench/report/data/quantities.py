"""Quantities of runs other than their test metrics, which claims of suites may be about.

*selectivity*, in %: 100 S by the probes with a hidden layer, of the features that a head's last layer reads. S is 1 if
these features, with the network asked for one task, contain nothing of the other tasks, and 0 if they contain as much
of them as the other tasks' own features. With A_ij the test accuracy of the probe of task j in the features for task i,
and ch_j that of the most frequent class of task j in training ::

    S = 1 - mean over i != j of  max(0, A_ij - ch_j) / max(1, A_jj - ch_j)        (accuracies in %)

as in `mtbench.train.diagnostics.selectivity`, a definition of this project.

*gap*: the mean over tasks of the test loss minus the training loss, see `mtbench.report.data.generalization.gap`.

*equal-loss*, in %: the error of each method at the training loss that both reach, averaged over tasks, see
`mtbench.report.data.generalization.equal_loss`.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.generalization.equal_loss import errors_at_equal_loss
from mtbench.report.data.generalization.gap import gap_of
from mtbench.store.record import Record

__all__ = ["VALUES", "equal_loss", "gap", "selectivity"]

_DEPTHS = ("hidden", "representation")
"""Names of the input of a head's last layer: the last hidden layer, or of a head with a single layer its own input."""


def selectivity(comparison: Comparison, methods: Sequence[MethodRuns]) -> list[NDArray[np.float64]]:
    """Return the selectivity of each method per seed of the comparison (S,), in %; NaN where it was not measured."""
    return [np.array([100 * _selectivity(method.records.get(seed)) for seed in comparison.seeds]) for method in methods]


def gap(comparison: Comparison, methods: Sequence[MethodRuns]) -> list[NDArray[np.float64]]:
    """Return the gap of each method per seed of the comparison (S,), in the unit of the loss; NaN without."""
    return [gap_of(method, MEAN, comparison.seeds) for method in methods]


def equal_loss(comparison: Comparison, methods: Sequence[MethodRuns]) -> list[NDArray[np.float64]]:
    """Return the error at equal training loss of each method per seed of the comparison (S,), in %; NaN without."""
    errors = errors_at_equal_loss(comparison, methods, MEAN).errors
    return [errors[method.title] for method in methods]


def _selectivity(record: Record | None) -> float:
    found = record.selectivity.probes if record and record.selectivity else {}
    depth = next((each for each in _DEPTHS if "mlp" in found.get(each, {})), "")
    return found[depth]["mlp"].selectivity if depth else math.nan


Values = Callable[[Comparison, Sequence[MethodRuns]], list[NDArray[np.float64]]]
"""From the methods of a comparison that are contrasted to the values of each, per seed of the comparison (S,)."""

VALUES: Mapping[str, Values] = {"selectivity": selectivity, "gap": gap, "equal-loss": equal_loss}
"""Values of each quantity of `mtbench.plan.suite.claims.quantity`."""
