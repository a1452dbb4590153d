"""A dataset, a network and a balancer that take long in one of their stages.

The file ``linger.json`` beside this one says in which. Tests copy this package, so that each has a file of its own.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from mtbench.contract import Inputs, Losses, Setup, Split, option
from mtbench_toys.balancer import Drift
from mtbench_toys.datasets import AllTasks
from mtbench_toys.methods import Broken


def linger(stage: str) -> None:
    """Take long if it is this stage's turn.

    ``linger.json`` holds the ``stage``, and ``how``: ``sleep``; ``solve`` (SciPy calls LAPACK, again and again);
    ``lock`` (one call of C code that never lets go of Python's global lock); ``fail`` (an exception after the sleep);
    ``memory`` (a request for more than any machine has). The file ``there`` appears when it begins. It ends when the
    file ``go`` is there.
    """
    here = Path(__file__).parent
    try:
        asked = json.loads((here / "linger.json").read_text())
    except FileNotFoundError:
        return
    if stage != asked["stage"] or (here / "go").exists():
        return
    (here / "there").touch()
    if asked["how"] == "solve":
        matrix = np.random.default_rng(0).normal(size=(200, 200))
        while not (here / "go").exists():
            minimize_scalar(lambda x: float(np.linalg.eigvalsh(matrix * x + matrix.T)[0] ** 2))
    elif asked["how"] == "lock":
        sum(range(10**14))
    elif asked["how"] == "memory":
        torch.empty(1 << 45)
    while not (here / "go").exists():
        time.sleep(0.05)
    if asked["how"] == "fail":
        raise RuntimeError("a process of the data loader was killed by the same signal")


class SlowData(AllTasks):
    """Two classification tasks that are slow to load."""

    def load(self, split: str, *, validation: bool) -> Split:
        linger("data")
        return super().load(split, validation=validation)


@dataclass(frozen=True, kw_only=True)
class SlowOptions:
    megabytes: int = option(0, "size of a buffer that makes the checkpoint large", low=0)


class SlowNetwork(Broken):
    """One head per task, slow to evaluate."""

    Options = SlowOptions

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.register_buffer("ballast", torch.arange(options.megabytes * 250_000.0))

    def forward(self, inputs: Inputs) -> list[Tensor]:
        if not self.training:
            linger("evaluation")
        return super().forward(inputs)


class SlowSolver(Drift):
    """Weights that are slow to compute."""

    def weigh(self, losses: Losses) -> Tensor:
        linger("solver")
        return super().weigh(losses)


linger("loading")
