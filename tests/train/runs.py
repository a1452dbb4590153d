"""Runs in toy worlds, trained in this process."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.record import CurvePoint
from mtbench.train.trained import Trained, train

CPU = torch.device("cpu")


class Memory:
    """Keeps states in memory, through the serialisation that a file goes through."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.state: bytes | None = None
        self.curve: Sequence[CurvePoint] = ()
        self.kept = 0
        self.stop_after = stop_after

    def restore(self) -> dict[str, Any] | None:
        if self.state is None:
            return None
        state: dict[str, Any] = torch.load(io.BytesIO(self.state), weights_only=True)
        return state

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        file = io.BytesIO()
        torch.save(state, file)
        self.state, self.curve = file.getvalue(), tuple(curve)
        self.kept += 1
        if self.kept == self.stop_after:
            raise KeyboardInterrupt


def spec_of(method: str, dataset: str = "toy-all", seed: int = 0, **settings: str) -> RunSpec:
    return plan(Request(methods=[method], datasets=[dataset], settings=settings, seeds=[seed]))[0]


def run(spec: RunSpec, keeper: Memory | None = None, **more: Any) -> Trained:
    return train(spec, root=Path(), device=CPU, keeper=keeper or Memory(), **more)


def same(first: Trained, second: Trained) -> bool:
    """Return True if two runs gave the same bits; NaN in a curve, which an absent task has, equals NaN."""
    weights = all(torch.equal(first.model[name], second.model[name]) for name in first.model)
    return weights and first.results == second.results and repr(first.curve) == repr(second.curve)
