"""What a search tries for one number: a range, a few values, or weights of the tasks.

An option declares it in plain values, so that a plug-in need import nothing for it::

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
"""What the greatest weight of a task may be as a multiple of the last task's, and the least as a part, unless said."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Every number from `low` to `high`, both included.

    Attributes:
        log: whether it is the logarithm that is spread evenly.
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
    """A few values, as texts; none means all that the option may be."""

    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"a value stands twice in {'/'.join(self.values)}")


@dataclass(frozen=True, kw_only=True)
class Simplex:
    """Weights w of T tasks that sum to 1, given by T - 1 numbers x_t = ln(w_t / w_T) in [-ln ratio, ln ratio].

    All x at 0 are equal weights. For two tasks a ratio of 19 lets each weight be from 0.05 to 0.95. No weight is 0, and
    no number of tasks makes a part of the box worthless, as drawing T numbers and dividing by their sum does.
    """

    ratio: float = RATIO

    def __post_init__(self) -> None:
        if not (math.isfinite(self.ratio) and self.ratio > 1):
            raise ValueError(f"a simplex has a greatest ratio of two weights above 1, and {self.ratio:g} is not")

    @property
    def bound(self) -> float:
        """The greatest x: ln ratio."""
        return math.log(self.ratio)

    @staticmethod
    def weights(log_ratios: Sequence[float]) -> tuple[float, ...]:
        """Return (T,) the weights, from x (T - 1,): w_t = exp(x_t) / (1 + sum_s exp(x_s)), w_T = 1 / (1 + ...)."""
        exponents = [*log_ratios, 0.0]
        greatest = max(exponents)
        parts = [math.exp(exponent - greatest) for exponent in exponents]
        whole = math.fsum(parts)
        return tuple(part / whole for part in parts)

    @staticmethod
    def log_ratios(weights: Sequence[float]) -> tuple[float, ...]:
        """(T - 1,) x, from the weights (T,), all above 0, whatever their sum."""
        return tuple(math.log(weight / weights[-1]) for weight in weights[:-1])


Space: TypeAlias = Range | Choices | Simplex


def parse_space(declared: Any) -> Space | None:
    """Read what an option declares: see the top of this module. None stays None.

    Raises:
        ValueError: it is none of those.
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
    """As on the command line: ``0.0001..0.01:log``, ``a/b``, ``simplex:19``."""
    if isinstance(space, Range):
        return f"{space.low:.12g}..{space.high:.12g}" + (":log" if space.log else "")
    return f"simplex:{space.ratio:.12g}" if isinstance(space, Simplex) else "/".join(space.values)
