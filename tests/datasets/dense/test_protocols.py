"""Learning rates of the presets against the schedulers of torch that released code uses."""

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, StepLR

from mtbench_datasets.dense.protocols import CITYSCAPES, NYUV2

PRESETS = NYUV2 | CITYSCAPES


@pytest.mark.parametrize("name", [name for name in PRESETS if "-" in name])
def test_learning_rates_are_those_of_released_code(name: str) -> None:
    protocol = PRESETS[name]
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1 if name.startswith("auto-lambda") else 1e-4)
    scheduler: LRScheduler = (
        CosineAnnealingLR(optimizer, 200) if name.startswith("auto-lambda") else StepLR(optimizer, 100, 0.5)
    )
    assert protocol.epochs == 200
    for epoch in range(200):
        assert protocol.learning_rate(epoch) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("name", [*NYUV2, *CITYSCAPES])
def test_all_settings_of_a_preset_fit_each_other(name: str) -> None:
    for protocols in (NYUV2, CITYSCAPES):
        if name in protocols:
            assert protocols[name].name == name
            protocols[name].changed().check()
