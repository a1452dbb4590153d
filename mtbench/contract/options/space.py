"""Search spaces of one setting: a range, a few values, or weights of the tasks.

An option declares its space in plain values, so that a plug-in imports nothing for it::

    alpha: float = option(1.5, "how strongly", low=0, search=(0.0, 3.0))           # a range
    step: float = option(0.01, "step size", low=0, search=(1e-3, 1e-1, "log"))     # a range, tried by its logarithm
    experts: int = option(0, "how many", low=0, search=("2", "4", "8"))            # these values
    gate: str = option("sigmoid", "nonlinearity", choices=(...), search="choices") # all that it may be
    weights: tuple[float, ...] = option((), "one per task", search="simplex")      # weights of the tasks
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Choices", "Range", "Simplex", "Space", "parse_space", "render_space"]

RATIO = 19.0
"""Default of the largest weight of a task relative to the last task's, and of the inverse of the smallest one."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Every number from `low` to `high`, both included.

    Attributes:
        log: True if the logarithm is spread evenly.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"a range goes from a number to a greater one, and {self.low:g}..{self.high:g} does not")
        if self.log and self.low <= 0:
            raise ValueError(f"a range of logarithms begins above 0, and {self.low:g}..{self.high:g} does not")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """A few values, as texts; empty for all values that the option may have."""

    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"a value stands twice in {'/'.join(self.values)}")


@dataclass(frozen=True, kw_only=True)
class Simplex:
    """Weights w of T tasks that sum to 1, given by T - 1 numbers x_t = ln(w_t / w_T) in [-ln ratio, ln ratio].

    All x at 0 are equal weights. For two tasks a ratio of 19 allows each weight from 0.05 to 0.95. No weight is 0, and
    no part of the box is useless for any number of tasks, unlike drawing T numbers and dividing by their sum.
    """

    ratio: float = RATIO

    def __post_init__(self) -> None:
        if not (math.isfinite(self.ratio) and self.ratio > 1):
            raise ValueError(f"a simplex has a greatest ratio of two weights above 1, and {self.ratio:g} is not")

    @property
    def bound(self) -> float:
        """The largest x: ln ratio."""
        return math.log(self.ratio)

    @staticmethod
    def weights(log_ratios: Sequence[float]) -> tuple[float, ...]:
        """Return the weights (T,) from x (T - 1,): w_t = exp(x_t) / (1 + sum_s exp(x_s)), w_T = 1 / (1 + ...)."""
        exponents = [*log_ratios, 0.0]
        greatest = max(exponents)
        parts = [math.exp(exponent - greatest) for exponent in exponents]
        whole = math.fsum(parts)
        return tuple(part / whole for part in parts)

    @staticmethod
    def log_ratios(weights: Sequence[float]) -> tuple[float, ...]:
        """Return x (T - 1,) from the weights (T,), all above 0, for any sum."""
        return tuple(math.log(weight / weights[-1]) for weight in weights[:-1])


Space: TypeAlias = Range | Choices | Simplex


def parse_space(declared: Any) -> Space | None:
    """Parse the space that an option declares: see the top of this module. None stays None.

    Raises:
        ValueError: it is none of the forms there.
    """
    match declared:
        case None | Range() | Choices() | Simplex():
            return declared
        case "simplex":
            return Simplex()
        case "choices":
            return Choices()
        case (int() | float() as low, int() | float() as high):
            return Range(low=low, high=high)
        case (int() | float() as low, int() | float() as high, "log"):
            return Range(low=low, high=high, log=True)
        case tuple() if len(declared) > 1 and all(isinstance(value, str) for value in declared):
            return Choices(values=declared)
    raise ValueError(
        f"search={declared!r} is not a space: give (low, high), (low, high, 'log'), texts, 'choices' or 'simplex'"
    )


def render_space(space: Space) -> str:
    """Return a space as on the command line: ``0.0001..0.01:log``, ``a/b``, ``simplex:19``."""
    if isinstance(space, Range):
        return f"{space.low:.12g}..{space.high:.12g}" + (":log" if space.log else "")
    return f"simplex:{space.ratio:.12g}" if isinstance(space, Simplex) else "/".join(space.values)
