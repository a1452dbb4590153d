"""The method of each column of a table that is significantly better than every other.

Each bold entry is a claim, and a table makes all its claims together: they are corrected together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtbench.stats.contrast import LEVEL, holm, paired

__all__ = ["Separation", "separated_best"]


@dataclass(frozen=True, kw_only=True)
class Separation:
    """The entries of a table that are significantly best.

    Attributes:
        best: for each column the row that is separated from all others, None if there is none.
        comparisons: number of comparisons that were corrected together.
    """

    best: tuple[int | None, ...]
    comparisons: int


def separated_best(columns: Sequence[ArrayLike], higher: Sequence[bool]) -> Separation:
    """Return for each column the row of the best mean, if it is separated from every other row.

    The best row of a column is compared with each other row by the paired t-test. The p-values of all columns are one
    family for Holm's correction, and a best row is separated if all of its own are below 5 %. A pair that cannot be
    tested (fewer than two common seeds, or differences that do not vary) is not separated, and then the row is not
    either. The probability that a table separates any row that is no better than another is at most 5 %.

    Args:
        columns: a table's columns, each of values (M, S) per method and seed, NaN if missing. Rows without any value
            are left out.
        higher: for each column True if higher is better.

    Raises:
        ValueError: the numbers of directions and columns differ.
    """
    if len(columns) != len(higher):
        raise ValueError(f"{len(columns)} columns, but {len(higher)} directions")
    leaders: list[int | None] = []
    ps: list[float] = []
    owners: list[int] = []
    for place, (column, up) in enumerate(zip(columns, higher, strict=True)):
        goodness = np.atleast_2d(np.asarray(column, dtype=np.float64)) * (1 if up else -1)
        leader, against = _lead(goodness)
        leaders.append(leader)
        ps += against
        owners += [place] * len(against)
    adjusted = holm(ps)
    # A NaN is not below the level either: a pair that was not tested is not separated.
    lost = {owner for owner, p in zip(owners, adjusted, strict=True) if not p < LEVEL}
    return Separation(
        best=tuple(None if place in lost else leader for place, leader in enumerate(leaders)),
        comparisons=sum(not math.isnan(p) for p in ps),
    )


def _lead(goodness: NDArray[np.float64]) -> tuple[int | None, list[float]]:
    """Return the row of the best mean and the p of its comparison with each other row; None if it has no rival."""
    rows = [row for row in range(len(goodness)) if not np.isnan(goodness[row]).all()]
    if len(rows) < 2:
        return None, []
    leader = max(rows, key=lambda row: float(np.nanmean(goodness[row])))
    contrasts = [paired(goodness[leader], goodness[row]) for row in rows if row != leader]
    # With missing runs, the best mean may be lower in the seeds that both have: then nothing is separated.
    return leader, [contrast.p if contrast.difference > 0 or math.isnan(contrast.p) else 1.0 for contrast in contrasts]
