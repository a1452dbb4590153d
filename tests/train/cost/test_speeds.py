"""The speed of a kind of run, and the time that a run of this kind takes."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from mtbench.contract import TrainingProtocol
from mtbench.store.memory import CACHE
from mtbench.store.record import Record
from mtbench.train.cost.speeds import Speed, Speeds, seconds_at, speed_of
from tests.report.records import finished, spec

CPU = torch.device("cpu")
SPEED = Speed(training=0.001, evaluation=0.0001, phases=1, train=60_000, test=10_000, whole=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE, str(tmp_path))
    return tmp_path


def record(images: int = 0, **settings: object) -> Record:
    run = finished(protocol=TrainingProtocol(epochs=4, images=images))
    assert run.record is not None
    cost = dataclasses.replace(run.record.cost, training_wall_seconds=240.0, wall_seconds=300.0)
    return dataclasses.replace(run.record, cost=cost, **settings)  # type: ignore[arg-type]


def test_a_run_takes_its_training_and_the_evaluation_of_each_point_of_its_curve_and_of_some_training_examples() -> None:
    protocol = TrainingProtocol(epochs=100, images=20_000)
    expected = 0.001 * 100 * 20_000 + 0.0001 * (20 * 10_000 + 10_000)
    assert seconds_at(SPEED, spec("td", 0, protocol=protocol)) == pytest.approx(expected)
    few = TrainingProtocol(epochs=2, images=100)
    assert seconds_at(SPEED, spec("td", 0, protocol=few)) == pytest.approx(
        0.001 * 2 * 100 + 0.0001 * (2 * 10_000 + 100)
    )


def test_a_finished_run_takes_by_its_own_speed_as_long_as_it_took() -> None:
    run = record()
    speed = speed_of(run)
    assert speed is not None
    assert speed.training == pytest.approx(240 / 4 / 60_000)
    assert seconds_at(speed, run.spec) == pytest.approx(300)


def test_a_run_too_short_to_tell_or_made_before_training_was_timed_has_no_speed() -> None:
    for seconds in (0.5, float("nan")):
        run = record()
        cost = dataclasses.replace(run.cost, training_wall_seconds=seconds)
        assert speed_of(dataclasses.replace(run, cost=cost)) is None


def test_runs_that_differ_in_seed_size_and_rate_are_of_one_kind_and_others_are_not() -> None:
    key = Speeds(CPU).key(spec("td", 0, protocol=TrainingProtocol()))
    alike = TrainingProtocol(name="quick", epochs=3, images=100, lr=0.1, schedule="constant")
    assert Speeds(CPU).key(spec("td", 7, protocol=alike)) == key
    for other in (TrainingProtocol(batch=64), TrainingProtocol(validation=True)):
        assert Speeds(CPU).key(spec("td", 0, protocol=other)) != key
    assert Speeds(CPU).key(spec("moo", 0, protocol=TrainingProtocol())) != key


def test_a_part_of_the_examples_tells_the_speed_of_runs_on_no_more_of_them() -> None:
    speed = speed_of(record(images=4000, training_examples=4000))
    assert speed is not None
    assert speed.fits(spec("td", 0, protocol=TrainingProtocol(images=3000)))
    assert not speed.fits(spec("td", 0, protocol=TrainingProtocol(images=5000)))
    assert not speed.fits(spec("td", 0, protocol=TrainingProtocol()))


def test_how_many_examples_there_are_stays_known_when_a_run_on_a_part_of_them_has_finished() -> None:
    Speeds(CPU).learn(record())
    Speeds(CPU).learn(record(images=4000, training_examples=4000))
    (found,) = Speeds(CPU).known().values()
    assert (found.train, found.whole) == (60_000, True)
    assert found.training == pytest.approx(240 / 4 / 4000)


@pytest.mark.parametrize("entry", [1, {}, {"training": "fast"}, {**dataclasses.asdict(SPEED), "training": None}])
def test_an_entry_that_is_no_speed_is_ignored(folder: Path, entry: object) -> None:
    (folder / "speeds.json").write_text(json.dumps({"a": entry, "b": dataclasses.asdict(SPEED)}))
    assert Speeds(CPU).known() == {"b": SPEED}
