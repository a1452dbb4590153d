"""``mtbench search``, as a person uses it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import Result

from mtbench.cli.results.states.status import status
from mtbench.cli.training.run import run
from mtbench.cli.training.search import search
from mtbench.door.explain import explain
from mtbench.door.export import export
from mtbench.door.load import curves, load
from mtbench.door.report import report
from mtbench.door.search import search as search_from_python
from mtbench.errors import Busy, StoreError, UsageError
from mtbench.store.record import read_record, render_record
from mtbench.store.run.lease import Lease
from mtbench.store.study import Study, read_studies
from tests.cli.commands import call, start
from tests.waits import wait_until

app = typer.Typer()
app.command("search")(search)
app.command("run")(run)
app.command("status")(status)

WEIGHTS = ("search", "--dataset", "toy-all", "--method", "branches", "--quick", "--jobs", "2")
RESULTS = Path("results/local")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path


def mtbench(*arguments: str) -> Result:
    return call(app, *arguments)


def found(results: Path = RESULTS) -> Study:
    (study,) = read_studies(results)
    return study


def outcome(study: Study) -> Any:
    """Return everything but how long it took."""
    return study.trials, study.chosen, study.retrained, study.spent.epochs


def test_weights_of_the_tasks_are_searched_and_the_front_is_trained_again(place: Path) -> None:
    result = mtbench(*WEIGHTS, "--trials", "5", "--retrain", "2")
    assert result.exit_code == 0, result.output
    text = result.output
    assert re.search(r"^ toy-all +branches\+fixed +weights +simplex:19 +0.5/0.5 +accuracy of each task *$", text, re.M)
    assert "5 trials, the first of them the default, x 1 tuning seed (1000) x 2 epochs = 10 epochs" in text
    assert "retrained on all training images with seeds 0, 1." in text
    assert "Trials 0 to 3: 4 runs: 4 to do, 0 done already.\n" in text
    assert "Trial 4: 1 run: 1 to do, 0 done already.\n" in text
    assert re.search(r"^ 0 +0\.5/0\.5 +[\d.]+ +[\d.]+ +[\d.]+ +default", text, re.M)
    study = found()
    named = ", ".join(map(str, study.chosen))
    assert re.search(rf"^Retrained on all training images with seeds 0, 1: trials? {named}\.$", text, re.M)
    assert text.endswith("Tables and figures: mtbench report\n")
    assert len(list(place.glob("results/local/toy-all/*/seed-1000-*/record.json"))) == 5
    assert len(list(place.glob("results/local/toy-all/*/seed-[01]-*/record.json"))) == 2 * len(study.chosen)
    assert "missing" not in mtbench("status").output


def test_what_is_shown_on_the_way_is_of_the_validation_split() -> None:
    text = mtbench(*WEIGHTS, "--trials", "1", "--retrain", "0").output
    ((run,),) = (trial.runs for trial in found().trials)
    first = read_record((RESULTS / run / "record.json").read_bytes(), run).curve[0]
    assert set(first.results) == {"val"}
    mean = sum(result.metrics["accuracy"] for result in first.results["val"].values()) / 2
    assert re.search(rf"epoch 2/2, loss [\d.]+, accuracy {mean:.2f}\n", text)


def test_the_same_command_again_does_nothing_and_says_the_same() -> None:
    first = mtbench(*WEIGHTS, "--trials", "3", "--retrain", "1").output
    again = mtbench(*WEIGHTS, "--trials", "3", "--retrain", "1").output
    assert "3 of 3 trials are finished already." in again
    assert "Trials" not in again
    assert again[again.index("On the validation split") :] == first[first.index("On the validation split") :]


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(place: Path) -> None:
    result = mtbench(
        "search", "--dataset", "toy-all", "--methods", "td,moo", "--trials", "8", "--seeds", "2", "--dry-run"
    )
    assert result.exit_code == 0
    text = "Every method has the same budget: 8 trials, the first of them the default, x 2 tuning seeds (1000, 1001)"
    assert text in result.output
    assert "\nThe trials: Weights and records need about " in result.output
    assert "at a time on" in result.output
    assert os.listdir(place) == []


def test_a_search_for_whose_trials_the_disk_has_no_room_is_refused_before_training(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(place)._replace(free=300_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    refused = (
        r"the weights, records and checkpoints of 8 runs need \d\.\d MB in results/local, and the disk has 0\.3 MB"
    )
    with pytest.raises(StoreError, match=refused):
        mtbench("search", "--dataset", "toy-all", "--methods", "td", "--trials", "8")
    with pytest.raises(StoreError, match=refused):
        search_from_python("td", "toy-all", trials=8, quiet=True)
    assert not list(place.rglob("journal.log"))


def test_a_space_with_fewer_settings_than_trials_is_told() -> None:
    asked = ("search", "--dataset", "toy-all", "--methods", "td", "--trials", "8", "--dry-run", "--space")
    told = "td on toy-all has only 3 settings, the default among them: a trial that repeats one uses its runs"
    assert told in mtbench(*asked, "lr=0.1/0.2").output
    assert "there are only" not in mtbench(*asked, "lr=0.1..0.2").output


def test_a_results_folder_that_is_a_file_is_refused_before_anything_is_said(place: Path) -> None:
    (place / "file").write_text("")
    for folder in ("file", "file/below"):
        with pytest.raises(StoreError, match=rf"{folder} is no folder, or lies below a file\."):
            mtbench(*WEIGHTS, "--dry-run", "--results", folder)


def test_one_and_two_runs_at_a_time_propose_the_same_and_give_the_same() -> None:
    for jobs in ("1", "2"):
        mtbench(*WEIGHTS[:-1], jobs, "--trials", "7", "--retrain", "0", "--quiet", "--results", f"r{jobs}")
    assert outcome(found(Path("r1"))) == outcome(found(Path("r2")))


def test_trials_are_not_evaluated_on_the_test_split_and_tables_do_not_show_them(place: Path) -> None:
    mtbench(*WEIGHTS, "--trials", "2", "--retrain", "1")
    study = found()
    for below in study.trial_runs:
        path = RESULTS / below / "record.json"
        record = read_record(path.read_bytes(), str(path))
        assert set(record.results) == {"train", "val"}
        assert not any("test" in point.results for point in record.curve)
        assert (record.predictions, record.constants, record.batch_means, record.pointing) == ({}, {}, (), None)
    shutil.rmtree(RESULTS / "searches")  # even where nothing else says that they are trials
    frame = load(RESULTS, data_root=place / "data")
    assert set(frame.id) == {below.rpartition("-")[2] for runs in study.retrained.values() for below in runs}


def test_a_trial_is_not_explained(place: Path) -> None:
    mtbench("search", "--dataset", "toy-all", "--methods", "uniform", "--quick", "--trials", "2", "--retrain", "0")
    for below in sorted(found().trial_runs):
        said = r"the run in .* is a trial of a search, which is not evaluated on the test split\. Name a run that the"
        with pytest.raises(UsageError, match=said):
            explain(RESULTS / below, out="pages", device="cpu")
    assert not (place / "pages").exists()


def test_test_results_of_trials_of_an_earlier_version_are_in_no_page_table_or_frame(place: Path) -> None:
    mtbench(*WEIGHTS, "--trials", "2", "--retrain", "1")
    study, value = found(), 12.345678
    trials = study.trial_runs
    for below in trials:  # then a trial was evaluated on the test split, and its spec did not say that it was one
        folder = RESULTS / below
        record = read_record((folder / "record.json").read_bytes(), str(folder))
        tested = {
            task: replace(result, metrics=dict.fromkeys(result.metrics, value))
            for task, result in record.results["val"].items()
        }
        points = [replace(point, results={**point.results, "test": tested}) for point in record.curve]
        early = replace(
            record,
            spec=replace(record.spec, trial=False),
            results={**record.results, "test": tested},
            curve=tuple(points),
        )
        (folder / "record.json").write_text(render_record(early))
        (folder / "spec.json").write_text(replace(record.spec, trial=False, files={}).to_json())
    retrained = {below.rpartition("-")[2] for runs in study.retrained.values() for below in runs}
    assert set(load(RESULTS, data_root=place / "data").id) == retrained
    assert set(curves(RESULTS, data_root=place / "data").id) == retrained
    assert set(export(RESULTS, "all.csv").id) == retrained
    files = report(RESULTS, out="pages", quiet=True)
    texts = [path.read_text() for path in (*files, place / "all.csv") if path.suffix in (".csv", ".md", ".tex")]
    assert len(texts) > 5
    for text in texts:
        assert not any(shown in text for shown in (str(value), "12.3457", "12.346", "12.35"))
    with pytest.raises(UsageError, match="is a trial of a search"):
        explain(RESULTS / sorted(trials)[0], out="explained", device="cpu")


def test_a_trial_that_is_asked_for_as_a_run_is_stale_until_it_is_tested() -> None:
    words = ("--dataset", "toy-all", "--quick", "--quiet")
    mtbench("search", *words, "--method", "moo", "--trials", "1", "--retrain", "0")
    asked = ("run", *words, "--methods", "moo", "--seeds", "1000,", "--set", "validation=true")
    before = json.loads(next(RESULTS.rglob("record.json")).read_text())
    mtbench(*asked)
    assert "it was a trial of a search, which is not evaluated on the test split" in mtbench("status").output
    mtbench(*asked, "--refresh", "stale")
    path = next(path for path in RESULTS.rglob("record.json") if "superseded" not in str(path))
    record = read_record(path.read_bytes(), str(path))
    assert set(record.results) == {"train", "val", "test"}
    assert record.results["val"]["upper"].loss == before["record"]["results"]["val"]["upper"]["loss"]


def test_a_failed_trial_is_shown_and_counted(place: Path) -> None:
    result = mtbench("search", "--dataset", "toy-all", "--method", "toy-nan", "--quick", "--trials", "2", "--quiet")
    assert result.exit_code == 1
    assert "2 trials, 2 of them failed, 0 epochs" in result.output
    assert "failed trial 0: the loss of task 'lower' became nan at step 3" in result.output
    assert "No trial was finished, and no setting was chosen." in result.output
    assert len(list(place.rglob("failure.json"))) == 2


def test_a_search_that_is_under_way_is_not_begun_again() -> None:
    mtbench(*WEIGHTS, "--trials", "1", "--retrain", "0", "--quiet")
    (folder,) = RESULTS.glob("searches/*/*")
    with Lease(folder), pytest.raises(Busy, match="another mtbench works on the search in"):
        mtbench(*WEIGHTS, "--trials", "2", "--retrain", "0", "--quiet")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--space", "lr"), "--space is 'lr'. It is NAME=VALUES"),
        (("--sampler", "random"), "--sampler is 'random'."),
        (("--seeds", "0,1"), "seed 0 would both choose a setting and report it."),
        (("--refresh", "stales"), "--refresh is 'stales'. Did you mean 'stale'?"),
        (("--jobs", "0"), "--jobs is '0'. Allowed: a whole number, 1 to 1,024."),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_written(
    place: Path, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        mtbench("search", "--dataset", "toy-all", "--method", "td", *arguments)
    assert str(caught.value).startswith(message)
    assert os.listdir(place) == []


@pytest.mark.parametrize("columns", ["80", "200"])
def test_tables_are_as_wide_as_the_screen(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = mtbench(*WEIGHTS, "--trials", "1", "--retrain", "0").output
    rows = [line for line in text.splitlines() if line.startswith(" ")]
    assert rows
    assert max(map(len, rows)) <= int(columns)


def test_ctrl_c_leaves_a_search_that_the_same_command_goes_on_with(place: Path) -> None:
    command = ("search", "--dataset", "toy-all", "--method", "td", "--epochs", "60", "--trials", "5", "--retrain", "0")
    process = start(*command, "--jobs", "2")
    wait_until(lambda: list(place.rglob("checkpoint.pt")) or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate(timeout=300)[1]
    assert process.returncode == 130
    assert errors == "stopped by SIGINT. The same command resumes it.\n"
    assert not list(place.rglob("claim.*"))
    (log,) = place.rglob("journal.log")
    assert log.read_text().count('"asked"') == 4  # a whole round was proposed


def test_help_imports_neither_torch_nor_optuna() -> None:
    code = "import sys; from mtbench.cli import app; print(sorted({'torch', 'optuna', 'numpy'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, timeout=300) == "[]\n"


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "jobs"), [("tpe", "2"), ("nsga2", "1")])
def test_a_search_that_is_killed_again_and_again_finds_what_one_that_is_not_finds(
    place: Path, sampler: str, jobs: str
) -> None:
    command = (*WEIGHTS[:-1], jobs, "--sampler", sampler, "--trials", "14", "--retrain", "1", "--quiet", "--results")
    undisturbed = start(*command, "whole")
    undisturbed.communicate(timeout=1200)
    assert undisturbed.returncode == 0
    kills, process, within = 0, start(*command, "killed"), 5.0
    while process.returncode is None:
        try:
            process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=300)
            kills, within, process = kills + 1, within + 0.7, start(*command, "killed")
    assert process.returncode == 0
    assert kills > 1
    assert outcome(found(place / "killed")) == outcome(found(place / "whole"))
    lines = [line for path in place.rglob("journal.log") for line in path.read_text().splitlines()]
    assert sum("distributions" in json.loads(line) for line in lines) == 28  # each trial came into a journal once


def test_an_engine_that_does_not_wait_is_refused_before_anything_is_written(place: Path) -> None:
    with pytest.raises(UsageError, match="slurm:follow=true"):
        mtbench("search", "--methods", "uniform", "--dataset", "toy2", "--quick", "--engine", "slurm")
    with pytest.raises(UsageError, match="slurm:follow=true"):
        search_from_python("uniform", "toy2", protocol="quick", engine="slurm")
    assert not list(place.iterdir())
