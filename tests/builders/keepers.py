"""Keepers of a run's state: the three that tests need."""

import io
from collections.abc import Sequence
from typing import Any

import torch

from mtbench.store.record import CurvePoint

__all__ = ["Forgetful", "Memory"]


class Forgetful:
    """Keeps nothing."""

    def restore(self) -> None:
        return None

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        pass


class Memory:
    """Keeps states in memory, through the serialization that a file goes through.

    Args:
        stop_after: raise KeyboardInterrupt once this many states have been kept, counted over all runs.

    Attributes:
        states: all that were kept, the latest last; the latest is restored.
        curve: the curve that came with the latest.
    """

    def __init__(self, stop_after: int | None = None) -> None:
        self.states: list[bytes] = []
        self.curve: Sequence[CurvePoint] = ()
        self.kept = 0
        self.stop_after = stop_after

    def restore(self) -> dict[str, Any] | None:
        return self.at(-1) if self.states else None

    def at(self, index: int) -> dict[str, Any]:
        """Return one of the states that were kept."""
        state: dict[str, Any] = torch.load(io.BytesIO(self.states[index]), weights_only=True)
        return state

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        file = io.BytesIO()
        torch.save(state, file)
        self.states.append(file.getvalue())
        self.curve = tuple(curve)
        self.kept += 1
        if self.kept == self.stop_after:
            raise KeyboardInterrupt
