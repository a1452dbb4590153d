import os

import pytest
import torch

from mtbench.engines.local.slots import cores, slots
from mtbench.errors import UsageError


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def test_a_cpu_has_a_slot_per_core_or_as_many_as_are_asked_for() -> None:
    assert slots("cpu", None, 1) == ["cpu"] * cores()
    assert slots("cpu", 5, 1) == ["cpu"] * 5
    assert 1 <= cores() <= (os.cpu_count() or 1)


@pytest.mark.usefixtures("two_gpus")
def test_gpus_take_turns() -> None:
    assert slots("auto", None, 1) == ["cuda:0", "cuda:1"]
    assert slots("cuda", None, 2) == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert slots("cuda", 3, 2) == ["cuda:0", "cuda:1", "cuda:0"]
    assert slots("cuda:1", None, 2) == ["cuda:1", "cuda:1"]


@pytest.mark.parametrize(("jobs", "per_device"), [(0, 1), (-1, 1), (None, 0)])
def test_no_runs_at_a_time_are_refused(jobs: int | None, per_device: int) -> None:
    with pytest.raises(UsageError, match=r"Allowed: 1 to (1,024|256)\."):
        slots("cpu", jobs, per_device)


def test_runs_that_share_a_cpu_are_jobs() -> None:
    with pytest.raises(UsageError) as error:
        slots("cpu", None, 5)
    assert str(error.value) == (
        "--runs-per-device is 5, and the device is the CPU, where each run has a core. "
        "For 5 runs at a time use --jobs 5."
    )
