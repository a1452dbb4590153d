"""Shapes of a split that the checks of a dataset compare."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from mtbench.conformance.dataset.splits import splits_fit
from mtbench.conformance.fault import Fault
from mtbench.contract import Split
from mtbench_toys.datasets import AllTasks, ToyOptions


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"points": torch.zeros(96, 2)}, r"^`points` of train are \(96, 2\), not \(N, T, 2\)\.$"),
        (
            {"members": torch.arange(96)[:, None].int()},
            r"^`members` of train are torch\.int32 \(96, 1\), not int64 \(N, V\)\.$",
        ),
        ({"members": torch.arange(96)}, r"^`members` of train are torch\.int64 \(96,\), not int64 \(N, V\)\.$"),
        (
            {"members": torch.arange(96)[:, None] - 1},
            r"^`members` of train go from -1 to 94, and there are inputs 0",
        ),
        ({"defined": torch.ones(96, 2)}, r"^`defined` of train is torch\.float32 \(96, 2\), not bool \(N, T\)\.$"),
        ({"targets": (torch.zeros(96),)}, r"^train has targets for 1 tasks, and there are 2\.$"),
    ],
)
def test_a_shape_that_is_not_that_of_the_contract_is_found(changed: dict[str, Any], fault: str) -> None:
    class Wrong(AllTasks):
        """Changes its training split."""

        def load(self, split: str, *, validation: bool) -> Split:
            loaded = super().load(split, validation=validation)
            return dataclasses.replace(loaded, **changed) if split == "train" else loaded

    splits_fit(AllTasks(ToyOptions(), Path()))
    with pytest.raises(Fault, match=fault):
        splits_fit(Wrong(ToyOptions(), Path()))
