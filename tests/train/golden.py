"""Write the golden losses anew, once NUMERICS was raised: ``PYTHONPATH=tests/plugins python tests/train/golden.py``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mtbench.plan.grid import Request, plan
from mtbench.store.fingerprint import NUMERICS
from mtbench.store.record import CurvePoint
from mtbench.train.trained import train

METHODS = ["single", "uniform", "moo", "chmod", "td", "branches+mgda", "branches+fixed:weights=.3/.7"]


class Nothing:
    """Keeps nothing."""

    def restore(self) -> None:
        return None

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        pass


if __name__ == "__main__":
    losses = {}
    for method in METHODS:
        spec = plan(Request(methods=[method], datasets=["toy-all"], settings={}, seeds=[0]))[0]
        curve = train(spec, root=Path(), device=torch.device("cpu"), keeper=Nothing()).curve
        losses[method] = [[round(value, 6) for value in point.train_losses.values()] for point in curve]
    path = Path(__file__).with_name("golden.json")
    path.write_text(json.dumps({"numerics": NUMERICS, "losses": losses}, indent=1) + "\n")
