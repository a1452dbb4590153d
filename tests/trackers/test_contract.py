"""The contract of trackers, which those of mtbench keep, and one as its user would write it."""

from pathlib import Path
from typing import Any

import pytest

from mtbench import registry
from mtbench.plan.spec import Choice
from mtbench.trackers.process import make_tracker
from mtbench.trackers.tracker import Setting, TrackedRun, Tracker
from tests.trackers.tracked import READERS

pytestmark = pytest.mark.filterwarnings(  # SQLAlchemy about a strategy that MLflow uses
    "ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning"
)
FLOAT32 = 2.0**-23
"""The relative error that TensorBoard may add."""


def tracker(name: str, place: Path) -> Tracker:
    made = make_tracker(Choice(name=name), place)
    made.prepare()
    return made


def run(key: str) -> TrackedRun:
    settings: dict[str, Setting] = {
        "dataset": "toy2",
        "method": "uniform",
        "lr": 0.001,
        "seed": 3,
        "clip": False,
        "schedule": "cosine",
    }
    return TrackedRun(key=key, name=f"toy2/uniform/seed-3-{key}", settings=settings)


@pytest.mark.parametrize("name", READERS)
def test_a_tracker_holds_what_it_was_sent_whichever_process_asks(name: str, tmp_path: Path) -> None:
    first, one, other = tracker(name, tmp_path), run("0123456789ab-00000a"), run("ba9876543210-00000b")
    assert [first.held(one), first.held(other)] == [0, 0]
    first.log(one, {1: {"test/left/accuracy": 100 / 3, "training/left/loss": 0.7}, 2: {"training/left/loss": -1e30}})
    assert [first.held(one), first.held(other)] == [2, 0]
    first.log(other, {5: {"test/a task: ÷%/accuracy": 0.0}})
    first.finish(one, "stopped")
    later = tracker(name, tmp_path)
    assert [later.held(one), later.held(other)] == [2, 5]
    later.log(one, {4: {"training/left/loss": 3}})
    for how in ("failed", "done", "done"):
        later.finish(one, how)
    later.finish(other, "done")
    assert later.held(one) == tracker(name, tmp_path).held(one) == 4
    found = READERS[name](tmp_path)
    assert found.keys() == {one.key, other.key}
    expected: Any = {
        "test/left/accuracy": [(1, pytest.approx(100 / 3, rel=FLOAT32))],
        "training/left/loss": [
            (1, pytest.approx(0.7, rel=FLOAT32)),
            (2, pytest.approx(-1e30, rel=FLOAT32)),
            (4, pytest.approx(3, rel=FLOAT32)),
        ],
    }
    assert found[one.key] == expected
    assert list(found[other.key].values()) == [[(5, 0.0)]]


@pytest.mark.parametrize("name", registry.entries("tracker"))
def test_a_tracker_is_described_and_made_without_its_packages(name: str, tmp_path: Path) -> None:
    assert registry.summary(registry.find("tracker", name)).endswith(".")
    assert str(tmp_path) in (make_tracker(Choice(name=name), tmp_path).shown_by or str(tmp_path))
    assert not list(tmp_path.iterdir())
