"""The time that runs will take together."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from mtbench.engines import forecast
from mtbench.engines.forecast import estimate
from mtbench.plan.counting import count_work
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_method
from mtbench.plan.spec import RunSpec
from mtbench.store.memory import CACHE
from mtbench.train.cost.speeds import Speed, Speeds

SPEED = Speed(training=0.01, evaluation=0, phases=1, train=96, test=48, whole=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    return tmp_path


def specs(*methods: str, seeds: int = 1) -> list[RunSpec]:
    return plan(Request(methods=methods, datasets=["toy-all"], settings={"epochs": "1"}, seeds=range(seeds)))


def remember(speeds: Mapping[str, Speed]) -> None:
    remembered = Speeds(torch.device("cpu"))
    remembered.remember({remembered.key(specs(method)[0]): speed for method, speed in speeds.items()})


def work(method: str) -> int:
    """Multiply-accumulates of one input."""
    (spec,) = specs(method)
    return count_work(
        parse_method(method), spec.resolve().backbone.setup(spec.resolve().dataset.open(Path()), seed=0)
    ).per_input


@pytest.fixture
def nothing_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "_measured", lambda *_: {})


def test_an_estimate_grows_with_the_runs_and_outlives_what_it_measures(tmp_path: Path) -> None:
    assert estimate(specs("toy-crash:how=kill"), root=tmp_path, slots=["cpu"]) is None
    one = estimate(specs("single"), root=tmp_path, slots=["cpu"])
    both = estimate(specs("single", "toy-crash:how=kill"), root=tmp_path, slots=["cpu"])
    assert one is not None
    assert one > 0
    assert both == pytest.approx(one * (1 + work("toy-crash:how=kill") / work("single")))


def test_what_was_measured_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = estimate(specs("single", "td"), root=tmp_path, slots=["cpu"])
    monkeypatch.setattr(forecast, "spawn", None)
    assert estimate(specs("single", "td"), root=tmp_path, slots=["cpu"]) == pytest.approx(first)
    assert estimate(specs("td", "single", seeds=3), root=tmp_path, slots=["cpu"]) == pytest.approx(3 * (first or 0))


@pytest.mark.usefixtures("nothing_measured")
def test_runs_share_the_slots_but_one_run_is_not_shared(tmp_path: Path) -> None:
    remember({"td": SPEED})
    assert estimate(specs("td", seeds=4), root=tmp_path, slots=["cpu"]) == pytest.approx(4 * 0.96)
    assert estimate(specs("td", seeds=4), root=tmp_path, slots=["cpu"] * 2) == pytest.approx(2 * 0.96)
    assert estimate(specs("td", seeds=1), root=tmp_path, slots=["cpu"] * 2) == pytest.approx(0.96)


@pytest.mark.usefixtures("nothing_measured")
def test_what_was_not_reached_is_reckoned_by_its_multiply_accumulates(tmp_path: Path) -> None:
    remember({"uniform": SPEED})
    expected = 0.96 * (1 + work("single") / work("uniform"))
    assert estimate(specs("uniform", "single"), root=tmp_path, slots=["cpu"]) == pytest.approx(expected)


def test_of_data_that_are_not_here_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "spawn", None)
    (absent,) = plan(Request(methods=["td"], datasets=["mmnist3"], settings={}, seeds=[0]))
    assert estimate([absent], root=tmp_path, slots=["cpu"]) is None


def test_a_kind_of_each_dataset_is_measured_before_the_second_of_any() -> None:
    asked = Request(methods=["td", "single"], datasets=["toy-all", "toy-three"], settings={}, seeds=[0])
    order = list(forecast._by_turns({str(number): spec for number, spec in enumerate(plan(asked))}))
    assert order == ["0", "2", "1", "3"]


@pytest.mark.usefixtures("nothing_measured")
def test_what_cannot_be_counted_is_the_mean_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "_work", lambda _: 0)
    remember({"uniform": SPEED, "td": dataclasses.replace(SPEED, training=0.03)})
    found = estimate(specs("uniform", "td", "single"), root=tmp_path, slots=["cpu"])
    assert found == pytest.approx(0.96 * (1 + 3 + 2))


@pytest.mark.usefixtures("nothing_measured")
def test_of_nothing_known_there_is_no_estimate(tmp_path: Path) -> None:
    assert estimate(specs("td"), root=tmp_path, slots=["cpu"]) is None
