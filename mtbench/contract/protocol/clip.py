"""Clipping of a step's gradient: the setting ``clip`` of a training protocol, as an object."""

import math
from dataclasses import dataclass

from mtbench.errors import UsageError

__all__ = ["Clip", "parse_clip"]


@dataclass(frozen=True)
class Clip:
    """A norm that gradients are clipped to, separately in each group of `Network.clip_groups`.

    Attributes:
        norm: the largest norm of the gradient; 0 clips nothing.
        shared: True if only the parameters that tasks share are clipped, as in the code of FAMO and code derived from
            it; False for all parameters of the network.
    """

    norm: float
    shared: bool = False

    @property
    def value(self) -> float | str:
        """The setting as `parse_clip` reads it: a number if all parameters are clipped."""
        return f"shared:{self.norm:.12g}" if self.shared else self.norm

    @property
    def words(self) -> str:
        """The setting in words, for a caption; empty if nothing is clipped."""
        whose = "the gradient of shared parameters " if self.shared else ""
        return f"{whose}clipped to norm {self.norm:g}" if self.norm else ""


def parse_clip(given: float | str) -> Clip:
    """Parse a setting ``clip``: ``x`` or ``all:x``, which are equal, or ``shared:x``.

    Raises:
        UsageError: it is none of these, or x is not a finite number of at least 0.
    """
    scope, has_scope, number = str(given).rpartition(":")
    try:
        norm = float(number)
    except ValueError:
        norm = math.nan
    if not 0 <= norm < math.inf or scope not in ("", "all", "shared") or (has_scope and not scope):
        raise UsageError(
            f"protocol setting 'clip' is '{given}'.",
            allowed="Allowed: a norm of at least 0, as in 1 or all:1 (of all parameters) or shared:1 (of those that "
            "tasks share).",
        )
    return Clip(norm, shared=scope == "shared" and norm > 0)
