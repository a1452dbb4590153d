"""The group-sequential rule for t statistics: sequential p-values, repeated confidence intervals and bounds.

Bounds are computed for normal scores, and carried over to Student's t by their nominal significance levels: a look
rejects where the p-value of its t-test, with its own degrees of freedom, is below the nominal level of the look. (The
bounds themselves would reject far too often: with few seeds, t exceeds them much more easily than a normal score.)

The sequential p-value of a look is the smallest overall level at which the test rejects there (Liu and Anderson, On
adaptive extensions of group sequential trials for clinical investigations, J. Am. Stat. Assoc. 103, 2008). The
probability that it is ever below a is at most a, so that sequential p-values can be corrected as others are: Holm's
procedure on them is Holm's graph of Maurer and Bretz (Multiple testing in group sequential trials using graphical
approaches, Statistics in Biopharmaceutical Research 5, 2013), and keeps the family-wise error rate at every look.

A repeated confidence interval contains all differences that the test would not reject at its look, and holds at all
looks together (Jennison and Turnbull, Interim analyses: the repeated confidence interval approach, J. R. Stat. Soc. B
51, 1989).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import stdtrit

from mtbench.stats.contrast import LEVEL, Contrast
from mtbench.stats.sequential.bounds import nominal_levels
from mtbench.stats.summary import Interval

__all__ = ["Rule"]

_FEWEST = 2
"""Seeds that a first look needs for a standard deviation."""
_GRID = np.unique([*np.geomspace(1e-9, 0.2, 40), *np.linspace(0.2, 0.999, 20)])
"""Levels between which sequential p-values are interpolated, besides those that decide."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A group-sequential rule.

    Attributes:
        looks: number of seeds at each look, ascending.
        claims: the largest number of claims that are corrected together: at LEVEL / k for each k up to it, sequential
            p-values are exact; elsewhere they are interpolated, with an error below 1 %.

    Raises:
        ValueError: looks are not ascending, or begin below 2.
    """

    looks: tuple[int, ...]
    claims: int = 1

    def __post_init__(self) -> None:
        if not self.looks or self.looks[0] < _FEWEST or list(self.looks) != sorted(set(self.looks)):
            raise ValueError(f"looks are ascending numbers of seeds from {_FEWEST}, not {self.looks}")

    def nominal(self, look: int, level: float) -> float:
        """Return the two-sided nominal level of a look, by its place from 0, of a test at an overall level."""
        return nominal_levels(self.looks, level)[look]

    def sequential(self, look: int, p: float) -> float:
        """Return the sequential p-value of a look from the p-value of a two-sided test of its data alone.

        1 if there is no p-value (NaN).
        """
        if math.isnan(p):
            return 1.0
        levels, curve = self._curves[look]
        if p <= levels[0]:
            return float(_GRID[0])
        return 1.0 if p >= levels[-1] else float(np.exp(curve(math.log(p))))

    def interval(self, look: int, contrast: Contrast, confidence: float = 0.95) -> Interval | None:
        """Return the repeated confidence interval of a look; None if there is no standard error."""
        if contrast.freedom is None or contrast.error is None:
            return None
        half = self.bound(look, contrast.freedom, 1 - confidence) * contrast.error
        return contrast.difference - half, contrast.difference + half

    def bound(self, look: int, freedom: float, level: float = LEVEL) -> float:
        """Return the bound of abs(t) at a look, of a two-sided test at an overall level."""
        return float(-stdtrit(freedom, self.nominal(look, level) / 2))

    @cached_property
    def _curves(self) -> list[tuple[np.ndarray, PchipInterpolator]]:
        """Per look the nominal levels at which the overall level is known, and the logarithm of the overall level as a
        function of that of the nominal one."""
        deciding = [factor * LEVEL / count for count in range(1, self.claims + 1) for factor in (1, 2)]
        overall = np.unique([*_GRID, *deciding])
        table = np.array([nominal_levels(self.looks, level) for level in overall])  # (levels, looks)
        curves = []
        for nominal in table.T:
            positive = nominal > 0
            curve = PchipInterpolator(np.log(nominal[positive]), np.log(overall[positive]))
            curves.append((nominal[positive], curve))
        return curves
