"""Schedules: the factor of the learning rate in each epoch e = 0 ... E-1 of a phase that has E epochs.

| text | factor in epoch e |
|---|---|
| ``constant`` | 1 |
| ``halving`` | 0.5^h, h of max(1, round(0.3 E)), max(1, round(0.6 E)) and max(1, round(0.9 E)) being <= e |
| ``exponential:factor=.95`` | factor^e; .95 is the default (Kurin et al., 2022) |
| ``step:every=40:factor=.1`` | factor^floor(e / every); .1 is the default factor |
| ``cosine`` | (1 + cos(pi e / E)) / 2: eq. 5 of Loshchilov and Hutter (2017) without restarts; 0 would be epoch E |

The factor stays the same within an epoch. The second phase of a run that adds a task has its own e = 0 ... E-1. A
warm-up multiplies this factor step by step: see `mtbench.contract.protocol`.

An option at its default is left out: ``exponential:factor=.95`` is ``exponential``.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from mtbench.contract.options import differences, option, parse_options, render_value
from mtbench.errors import UsageError, did_you_mean

__all__ = ["SCHEDULES", "Schedule", "parse_schedule"]


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """The learning rate over a phase, relative to the initial learning rate."""

    @abstractmethod
    def at(self, epoch: int, epochs: int) -> float:
        """Return the factor in an epoch, counted from 0, of a phase with `epochs` epochs."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The schedule in words for a caption, after "learning rate 0.001, "."""

    @property
    def text(self) -> str:
        """The canonical text, which `parse_schedule` reads; one schedule has one text."""
        name = next(name for name, schedule in SCHEDULES.items() if schedule is type(self))
        return ":".join([name, *(f"{key}={render_value(value)}" for key, value in differences(self).items())])


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """The same learning rate in each epoch."""

    def at(self, epoch: int, epochs: int) -> float:  # noqa: ARG002
        return 1.0

    @property
    def words(self) -> str:
        return "constant"


@dataclass(frozen=True, kw_only=True)
class Halving(Schedule):
    """Half the learning rate after 30, 60 and 90 % of the epochs, never before the first epoch has ended."""

    def at(self, epoch: int, epochs: int) -> float:
        return float(0.5 ** sum(epoch >= max(1, round(part * epochs)) for part in (0.3, 0.6, 0.9)))

    @property
    def words(self) -> str:
        return "halved after 30, 60 and 90 % of the epochs"


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """A constant factor after each epoch."""

    factor: float = option(0.95, "factor after each epoch", low=1e-6, high=0.9999)

    def at(self, epoch: int, epochs: int) -> float:  # noqa: ARG002
        return float(self.factor**epoch)

    @property
    def words(self) -> str:
        return f"times {self.factor:g} after each epoch"


@dataclass(frozen=True, kw_only=True)
class Step(Schedule):
    """A constant factor after a fixed number of epochs; `every` has no default."""

    every: int = option(0, "epochs between two changes", low=1)
    factor: float = option(0.1, "factor at each change", low=1e-6, high=0.9999)

    def at(self, epoch: int, epochs: int) -> float:  # noqa: ARG002
        return float(self.factor ** (epoch // self.every))

    @property
    def words(self) -> str:
        return f"times {self.factor:g} after every {self.every} epochs"


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Half a period of the cosine, from 1 toward 0."""

    def at(self, epoch: int, epochs: int) -> float:
        return (1 + math.cos(math.pi * epoch / epochs)) / 2

    @property
    def words(self) -> str:
        return "falling to 0 along half a cosine"


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "halving": Halving,
    "exponential": Exponential,
    "step": Step,
    "cosine": Cosine,
}
"""The schedules by name."""


def parse_schedule(text: str) -> Schedule:
    """Parse a schedule such as ``halving`` or ``step:every=40:factor=.1``.

    Raises:
        UsageError: there is no such schedule or option, or a value does not fit.
    """
    name, *parts = text.split(":")
    if name not in SCHEDULES:
        raise UsageError(
            f"protocol setting 'schedule' is '{text}'.",
            mend=did_you_mean(name, SCHEDULES),
            allowed=f"Allowed: {', '.join(SCHEDULES)}.",
        )
    given = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals or key in given:
            raise UsageError(
                f"protocol setting 'schedule' is '{text}'.",
                allowed="Options follow the name as option=value, each once: step:every=40:factor=.1.",
            )
        given[key] = value
    cls = SCHEDULES[name]
    if cls is Step and "every" not in given:
        raise UsageError(
            f"protocol setting 'schedule' is '{text}', which does not say after how many epochs the rate changes.",
            mend="Give it, as in step:every=40.",
        )
    schedule: Schedule = parse_options(cls, given, owner=f"schedule '{name}'")
    return schedule
