"""Confidence intervals as figures show them."""

import math

from mtbench.stats.summary import Summary

__all__ = ["CUT", "EXPLAINED", "FEW", "interval_of"]

FEW = 3
"""Seeds from which an interval is drawn: that of two is nine standard deviations wide to either side."""
EXPLAINED = "95 % confidence intervals (from three seeds on)"
CUT = f"{EXPLAINED[:-1]}; an arrow where one is cut off)"
"""The words for intervals in a figure, and where long ones are cut off."""
_RANGES = {"%": (0.0, 100.0), "°": (0.0, 180.0)}
"""The values that a metric can have, by its unit."""


def interval_of(summary: Summary, unit: str = "") -> tuple[float, float] | None:
    """Return the 95 % confidence interval of a mean over seeds; None of fewer than three.

    Args:
        summary: the summary over seeds.
        unit: unit of the values: an interval of what is measured in % ends at 0 and 100, of an angle at 0 and 180.
            Empty for changes and gains.
    """
    if summary.interval is None or summary.n < FEW:
        return None
    least, most = _RANGES.get(unit, (-math.inf, math.inf))
    return max(summary.interval[0], least), min(summary.interval[1], most)
