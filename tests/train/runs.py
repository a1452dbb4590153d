"""Runs in toy worlds, trained in this process."""

from pathlib import Path
from typing import Any

import torch

from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.train.trained import Trained, train
from tests.builders.keepers import Memory

CPU = torch.device("cpu")


def spec_of(method: str, dataset: str = "toy-all", seed: int = 0, **settings: str) -> RunSpec:
    return plan(Request(methods=[method], datasets=[dataset], settings=settings, seeds=[seed]))[0]


def run(spec: RunSpec, keeper: Memory | None = None, **more: Any) -> Trained:
    return train(spec, root=Path(), device=CPU, keeper=keeper or Memory(), **more)


def same(first: Trained, second: Trained) -> bool:
    """Return True if two runs gave the same bits; NaN in a curve, which an absent task has, equals NaN."""
    weights = all(torch.equal(first.model[name], second.model[name]) for name in first.model)
    return weights and first.results == second.results and repr(first.curve) == repr(second.curve)
