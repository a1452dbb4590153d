"""The times that a simulation is fed with."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtbench.engines import forecast
from mtbench.engines.job import execute
from mtbench.engines.simulation import measured
from mtbench.engines.simulation.measured import cost_of, measure_costs, write_seconds
from mtbench.engines.simulation.start import start
from mtbench.engines.space import checkpoint_bytes
from mtbench.errors import MtbenchError, RunError
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.memory import CACHE
from mtbench.store.run.checkpoint import CHECKPOINT
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import LeasedRun
from mtbench.train.cost.speeds import Speed, seconds_at


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))


def specs(*methods: str, dataset: str = "toy-all", **settings: str) -> list[RunSpec]:
    return plan(Request(methods=methods, datasets=[dataset], settings=settings, seeds=[0]))


@pytest.mark.parametrize(
    ("epochs", "curve", "phases"), [("1", "20", 1), ("7", "20", 1), ("90", "5", 1), ("10", "all", 1.5)]
)
def test_the_times_of_a_run_add_up_to_its_seconds(epochs: str, curve: str, phases: float) -> None:
    (spec,) = specs("td", epochs=epochs, curve=curve)
    speed = Speed(training=0.01, evaluation=0.002, phases=phases, train=96, test=48, whole=True)
    cost = cost_of(spec, speed)
    assert cost.useful == pytest.approx(seconds_at(speed, spec))
    assert cost.epochs == int(epochs) * phases
    # The test split and 96 training examples.
    assert cost.end == pytest.approx(0.002 * (48 + 96))


def test_a_run_of_unknown_speed_has_the_mean_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = [Speed(training=value, evaluation=0, phases=1, train=100, test=10, whole=True) for value in (0.01, 0.03)]
    monkeypatch.setattr(measured, "speeds_of", lambda *_, **__: [speeds[0], None, speeds[1]])
    monkeypatch.setattr(measured, "_starts", lambda *_: {"toy-all": 5.0})
    found = measure_costs(specs("td", "single", "moo", epochs="4"), root=tmp_path, device="cpu", results=tmp_path)
    assert found.unknown == 1
    assert [run.epoch for run in found.runs] == pytest.approx([1, 2, 3])
    assert {run.start for run in found.runs} == {5}
    assert found.place == tmp_path
    assert 0 < found.sizes[0] <= found.sizes[1]


def test_runs_of_which_no_speed_is_known_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "_measured", lambda *_: {})
    with pytest.raises(RunError, match="Train one of each first"):
        measure_costs(specs("td"), root=tmp_path, device="cpu", results=tmp_path)


def test_checkpoints_are_written_above_a_results_folder_that_is_not_there_and_removed(tmp_path: Path) -> None:
    place, seconds_of = measured._writing(tmp_path / "results" / "local", 2_000_000)
    assert place == tmp_path
    assert list(tmp_path.iterdir()) == []
    assert 0 < seconds_of(100_000) <= seconds_of(2_000_000) <= seconds_of(10_000_000)
    assert write_seconds(tmp_path, 1000) > 0


@pytest.mark.parametrize("settings", [{}, {"select": "best-val", "validation": "true"}, {"optimizer": "sgd"}])
def test_the_bytes_of_a_checkpoint_are_those_of_its_file(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (spec,) = specs("td", epochs="1", **settings)
    run, sizes = RunFolder(tmp_path), []

    def publish(*_: object) -> None:
        sizes.append((tmp_path / CHECKPOINT).stat().st_size)
        raise MtbenchError("that is enough.")

    run.write_spec(spec)
    monkeypatch.setattr(LeasedRun, "publish", publish)
    with pytest.raises(MtbenchError, match="enough"):
        execute(run, run.spec(), tmp_path, "cpu")
    assert sizes[0] == pytest.approx(checkpoint_bytes(spec), rel=0.15, abs=40_000)


def test_a_start_is_timed_in_a_process_that_reads_the_data_and_builds_the_network(tmp_path: Path) -> None:
    (spec,) = specs("td")
    start(spec.to_json(), tmp_path, "cpu")
    absent = dataclasses.replace(spec, dataset=specs("td", dataset="mmnist3")[0].dataset)
    with pytest.raises(MtbenchError):
        start(absent.to_json(), tmp_path, "cpu")
    command = [sys.executable, "-m", "mtbench.engines.simulation.start", str(tmp_path), "cpu"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run(command, input=spec.to_json(), text=True, env=environment, check=True, timeout=300)
