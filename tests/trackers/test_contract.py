"""The contract of trackers, which those of mtbench keep, and one as its user would write it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from mtbench import registry
from mtbench.plan.spec import Choice
from mtbench.trackers.process import make_tracker
from mtbench.trackers.tracker import Setting, TrackedRun, Tracker
from tests.trackers.tracked import READERS, Held

pytestmark = pytest.mark.filterwarnings(  # SQLAlchemy about a strategy that MLflow uses
    "ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning"
)
HOUSE = Path(__file__).parents[2]
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


def check(make: Callable[[], Tracker], read: Callable[[], Held]) -> None:
    """Check a tracker.

    Args:
        make: returns it as another process would make it.
        read: returns what was sent to it.
    """
    first, one, other = make(), run("0123456789ab-00000a"), run("ba9876543210-00000b")
    assert [first.held(one), first.held(other)] == [0, 0]
    first.log(one, {1: {"test/left/accuracy": 100 / 3, "training/left/loss": 0.7}, 2: {"training/left/loss": -1e30}})
    assert [first.held(one), first.held(other)] == [2, 0]
    first.log(other, {5: {"test/a task: ÷%/accuracy": 0.0}})
    first.finish(one, "stopped")
    later = make()
    assert [later.held(one), later.held(other)] == [2, 5]
    later.log(one, {4: {"training/left/loss": 3}})
    for how in ("failed", "done", "done"):
        later.finish(one, how)
    later.finish(other, "done")
    assert later.held(one) == make().held(one) == 4
    found = read()
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


@pytest.mark.parametrize("name", READERS)
def test_a_tracker_holds_what_it_was_sent_whichever_process_asks(name: str, tmp_path: Path) -> None:
    check(lambda: tracker(name, tmp_path), lambda: READERS[name](tmp_path))


def test_the_tracker_in_the_documentation_is_a_complete_one(tmp_path: Path) -> None:
    source = re.search(r"```python\n(.*?)```", (HOUSE / "docs" / "trackers.md").read_text(), re.DOTALL)
    assert source
    defined: dict[str, Any] = {}
    exec(source[1], defined)
    check(lambda: cast(Tracker, defined["Csv"](tmp_path)), lambda: READERS["toy-csv"](tmp_path))


@pytest.mark.parametrize("name", registry.entries("tracker"))
def test_a_tracker_is_described_and_made_without_its_packages(name: str, tmp_path: Path) -> None:
    assert registry.summary(registry.find("tracker", name)).endswith(".")
    assert str(tmp_path) in (make_tracker(Choice(name=name), tmp_path).shown_by or str(tmp_path))
    assert not list(tmp_path.iterdir())
