"""Numbers of a comparison that were read from its records by other rules than the usual ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mtbench.report.data.choices import Convention

__all__ = ["Pair", "Reading", "Reference"]

Pair = tuple[str, str]
"""The names of a task and of a metric."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Values that Δm is relative to where these are not of runs of single-task networks.

    Attributes:
        words: a description of the values, for a sentence.
        values: values by title of the method and seed.
        halves: half a last digit of each, by which rounding may have changed it; empty where they are exact.
    """

    words: str
    values: Mapping[tuple[str, int], Mapping[Pair, float]]
    halves: Mapping[Pair, float] = field(default_factory=dict)

    def measured(self, title: str, metrics: Sequence[Pair], seeds: Sequence[int]) -> NDArray[np.float64]:
        """Return the values (S, M) for one method, NaN where there is none."""
        rows = [self.values.get((title, seed), {}) for seed in seeds]
        values = [[row.get(pair, np.nan) for pair in metrics] for row in rows]
        return np.array(values, dtype=np.float64).reshape(len(seeds), len(metrics))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The rules, as a table says them.

    Attributes:
        name: the name of the convention.
        opening: sentences on the rules: the first for the caption, the rest for the details.
        when: the epoch of the numbers, for a sentence.
        lacking: sentences on runs that lack what the rules need.
        chosen_on_test: True if epochs were chosen on the test split, so that nothing is ranked.
        reference: the values that Δm is relative to; None for runs of single-task networks.
        delta: the convention of Δm.
    """

    name: str
    opening: tuple[str, ...]
    when: str
    lacking: tuple[str, ...]
    chosen_on_test: bool
    reference: Reference | None
    delta: Convention
