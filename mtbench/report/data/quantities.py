"""Quantities of runs other than their test metrics, which claims of suites may be about.

*selectivity*, in %: 100 S by the probes with a hidden layer, of the features that a head's last layer reads. S is 1 if
these features, with the network asked for one task, contain nothing of the other tasks, and 0 if they contain as much
of them as the other tasks' own features. With A_ij the test accuracy of the probe of task j in the features for task i,
and ch_j that of the most frequent class of task j in training ::

    S = 1 - mean over i != j of  max(0, A_ij - ch_j) / max(1, A_jj - ch_j)        (accuracies in %)

as in `mtbench.train.diagnostics.selectivity`, a definition of this project.

*gap*: the mean over tasks of the test loss minus the training loss, see `mtbench.report.data.generalization.gap`.
"""

import math
from collections.abc import Callable, Mapping

from mtbench.plan.suite import MEAN
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.generalization.gap import gap_of
from mtbench.store.record import Record

__all__ = ["VALUES", "gap", "selectivity"]

_DEPTHS = ("hidden", "representation")
"""Names of the input of a head's last layer: the last hidden layer, or of a head with a single layer its own input."""


def selectivity(method: MethodRuns) -> Mapping[int, float]:
    """Return the selectivity of each run by seed, in %; NaN where it was not measured."""
    return {seed: 100 * _selectivity(record) for seed, record in method.records.items()}


def gap(method: MethodRuns) -> Mapping[int, float]:
    """Return the gap of each run by seed, in the unit of the loss; NaN where a loss is not known."""
    seeds = sorted(method.records)
    return dict(zip(seeds, gap_of(method, MEAN, seeds).tolist(), strict=True))


def _selectivity(record: Record) -> float:
    found = record.selectivity.probes if record.selectivity else {}
    depth = next((each for each in _DEPTHS if "mlp" in found.get(each, {})), "")
    return found[depth]["mlp"].selectivity if depth else math.nan


VALUES: Mapping[str, Callable[[MethodRuns], Mapping[int, float]]] = {"selectivity": selectivity, "gap": gap}
"""Values by seed of each quantity of `mtbench.plan.suite.claims.quantity`."""
