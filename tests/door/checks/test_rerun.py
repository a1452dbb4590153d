"""Runs retrained, and compared with their records."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mtbench.door.checks.rerun import BITS, DIFFERS, FAILED, INTERVAL, UNDECIDED, Rerun, compared, draw, rerun
from mtbench.door.checks.runs import FinishedRun, finished_runs
from mtbench.engines.screen.display import choose_display
from mtbench.engines.screen.say import open_console
from mtbench.plan.grid import Request, plan
from mtbench.store.record import Record, render_record
from mtbench.store.run.folder import RunFolder
from tests.builders.kept import kept
from tests.door.checks.trained import forge, train, with_metric


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("trained"), ["toy-all"], [0, 1, 2])


@pytest.fixture
def results(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "mine"))


def again(runs: Sequence[FinishedRun], count: int, said: list[str]) -> dict[str, Rerun]:
    console = open_console(quiet=True)
    found = rerun(
        runs,
        count,
        Path("nowhere"),
        ["cpu", "cpu"],
        display=lambda total: choose_display(console, total, quiet=True),
        say=said.append,
    )
    return {each.run.name: each for each in found}


def test_an_honest_run_is_equal_to_the_bit_a_forged_one_differs_and_a_failure_is_no_success(results: Path) -> None:
    honest, forged, other = sorted(path.parent for path in results.rglob("record.json"))
    name = forge(forged, lambda record: with_metric(record, "test", "upper", accuracy=99.0))
    record = RunFolder(other).record()
    assert record is not None
    (spec,) = plan(Request(methods=["toy-crash"], datasets=["toy-all"], settings={"epochs": "1"}, seeds=[0]))
    crash = results / spec.folder
    crash.mkdir(parents=True)
    (crash / "record.json").write_text(render_record(dataclasses.replace(record, spec=spec)))
    (other / "record.json").unlink()
    said: list[str] = []
    found = again(finished_runs(results), 3, said)
    assert {key: each.outcome for key, each in found.items()} == {
        "/".join(honest.parts[-3:]): BITS,
        name: DIFFERS,
        spec.folder: FAILED,
    }
    assert found[name].values[0].stored == 99.0
    assert found[name].values[0].again < 99
    assert found[name].by == "compared by bits, as code, data and numerics are those of the record"
    assert found[spec.folder].by == "RuntimeError: the third step is one too many"
    assert len(said) == 3
    assert all(line.startswith("Drawn of 3: ") for line in said)


def test_runs_that_cannot_be_trained_here_are_not_drawn_and_named() -> None:
    (first, *_) = kept("2026-11-24-demo")
    said: list[str] = []
    assert again(finished_runs(first)[:2], 1, said) == {}
    assert said == [
        "Not drawn, as they cannot be trained here: mmnist3 chmod seeds 0, 1 (the data of mmnist3 are not on this "
        "machine)"
    ]


def run_of(run: FinishedRun, **changes: object) -> FinishedRun:
    return dataclasses.replace(run, record=dataclasses.replace(run.record, **changes))  # type: ignore[arg-type]


def with_accuracy(record: Record, value: float) -> Record:
    return with_metric(with_metric(record, "test", "upper", accuracy=value), "test", "lower", accuracy=value)


@pytest.mark.parametrize(("accuracy", "outcome"), [(50.0, INTERVAL), (80.0, INTERVAL), (81.0, DIFFERS)])
def test_with_other_numerics_a_rerun_is_compared_with_the_interval_of_the_seeds(
    trained: Path, accuracy: float, outcome: str
) -> None:
    """For two tasks at 95 % together t has the probability 1 - 0.05 / 4, with 2 degrees of freedom qt(0.9875, 2) =
    6.205347 in R: the standard deviation `step` of three seeds makes the interval 50 ± 30.5.
    """
    step = 30.5 / (6.205347 * np.sqrt(4 / 3))
    runs = [
        dataclasses.replace(run, record=with_accuracy(run.record, 50 + step * (place - 1)))
        for place, run in enumerate(finished_runs(trained))
    ]
    elsewhere = dataclasses.replace(runs[1].record.numerics, processor="another")
    run = run_of(runs[1], numerics=elsewhere)
    rerun_record = with_accuracy(dataclasses.replace(run.record, numerics=runs[0].record.numerics), accuracy)
    weights = {**rerun_record.files, "model.safetensors": "another"}
    found = compared(
        run, run.folder, dataclasses.replace(rerun_record, files=weights), "", [runs[0], run, runs[2]], Path("nowhere")
    )
    assert found.outcome == outcome
    assert found.by.startswith("compared with the prediction interval of the seeds, as processor ")
    for value in found.values:
        assert value.interval == pytest.approx((19.5, 80.5), abs=1e-4)


def test_one_seed_has_no_interval_so_that_nothing_is_concluded(trained: Path) -> None:
    run = finished_runs(trained)[0]
    elsewhere = run_of(run, numerics=dataclasses.replace(run.record.numerics, processor="another"))
    changed = with_accuracy(run.record, 12.0)
    assert compared(elsewhere, run.folder, changed, "", [elsewhere], Path("nowhere")).outcome == UNDECIDED


def test_a_stale_run_is_said_to_be_stale_and_compared_with_the_interval(results: Path) -> None:
    runs = finished_runs(results)
    marks = dataclasses.replace(runs[0].record.fingerprints, numerics=1)
    forge(runs[0].folder.path, lambda record: dataclasses.replace(record, fingerprints=marks))
    stale, *others = finished_runs(results)
    changed = with_metric(stale.record, "test", "upper", loss=0.5)
    found = compared(stale, stale.folder, changed, "", [stale, *others], Path("nowhere"))
    assert found.by.startswith("compared with the prediction interval of the seeds, as the run is stale (NUMERICS 1 ->")
    assert found.outcome == INTERVAL


def test_the_draw_depends_on_every_record_and_on_a_text_that_the_sender_did_not_know(trained: Path) -> None:
    runs = finished_runs(trained)
    many = [dataclasses.replace(runs[0], name=str(n), sum=f"{n:064x}") for n in range(100)]
    drawn = [run.name for run in draw(many, 5)]
    assert drawn == [run.name for run in draw(many[::-1], 5)]
    changed = [*many[:-1], dataclasses.replace(many[-1], sum="f" * 64)]
    assert drawn != [run.name for run in draw(changed, 5)]
    assert drawn != [run.name for run in draw(many, 5, "a later commit")]
    assert len(draw(many, 1000)) == 100
