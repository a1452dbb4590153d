"""The distance that a switch moves Δm, in units of its spread over seeds, and the pairs of methods that it reverses."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mtbench.stats.contrast import LEVEL, holm, paired
from mtbench.stats.ranking import kendall_tau
from mtbench.stats.summary import summarize

__all__ = ["UNMOVED", "Gains", "Moved", "moved", "pooled"]

Gains = Mapping[str, NDArray[np.float64]]
"""Δm per seed (S,) by method, NaN where there is no value."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The difference that a switch makes, over the methods that are ranked with and without it.

    Attributes:
        change: the largest change of a method's mean Δm, in points; NaN without, and where the sizes are unlike.
        spreads: the same, divided by the standard deviation over seeds of `pooled`; NaN where either is not known.
        tau: Kendall's tau of the order of methods with that without the switch; NaN without.
        pairs: number of pairs of methods.
        reversed: number of these whose means are in the other order.
        significant: number of these that differ significantly with or without the switch: at 5 %, by a paired t-test
            after Holm's correction over all pairs; None if no pair can be tested.
    """

    change: float = math.nan
    spreads: float = math.nan
    tau: float = math.nan
    pairs: int = 0
    reversed: int = 0
    significant: int | None = None


UNMOVED = Moved()
"""No difference, since nothing is switched."""
_NOISE = 1e-9
"""A spread below this fraction of the largest value is rounding."""


def moved(usual: Gains, other: Gains, *, alike: bool) -> Moved:
    """Return the difference between the gains of the same methods without a switch and with it.

    Args:
        usual: those without it.
        other: those with it.
        alike: False if the two are of another size, so that their difference is no change.
    """
    names = [name for name in usual if name in other]
    before, after = ([summarize(gains[name]).mean for name in names] for gains in (usual, other))
    change = max((abs(one - two) for one, two in zip(before, after, strict=True)), default=math.nan)
    spread = pooled(list(usual.values()))
    pairs = list(combinations(range(len(names)), 2))
    turned = [(before[i] - before[j]) * (after[i] - after[j]) < 0 for i, j in pairs]
    ps = [holm([paired(gains[names[i]], gains[names[j]]).p for i, j in pairs]) for gains in (usual, other)]
    least = np.fmin(*ps)
    return Moved(
        change=change if alike else math.nan,
        spreads=change / spread if alike else math.nan,
        tau=float(kendall_tau(before, [after])[0]) if len(names) > 1 else math.nan,
        pairs=len(pairs),
        reversed=sum(turned),
        significant=None if np.isnan(least).all() else int((least[turned] < LEVEL).sum()),
    )


def pooled(gains: Sequence[NDArray[np.float64]]) -> float:
    """Return the standard deviation over seeds that methods have in common: the root of their mean variance, weighted
    by n - 1; NaN if no method has two seeds, or none varies."""
    known = [values[~np.isnan(values)] for values in gains]
    freedom = sum(len(values) - 1 for values in known if len(values) > 1)
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in known if len(values) > 1)
    spread = math.sqrt(squares / freedom) if freedom else 0.0
    largest = max((float(abs(values).max(initial=0.0)) for values in known), default=0.0)
    return spread if spread > _NOISE * largest else math.nan
