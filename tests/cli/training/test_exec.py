"""``mtbench exec``: the run of a file, in this process or under a debugger."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from mtbench.cli.training.exec import exec_
from mtbench.engines.job import execute
from mtbench.errors import StoreError
from mtbench.plan.grid import Request, plan
from mtbench.store.identity.expected import expected_of, write_expected
from mtbench.store.run.folder import LOG, RunFolder
from mtbench.store.run.lease import Lease
from mtbench.train.progress import Progress
from tests.cli.commands import MTBENCH, start
from tests.waits import wait_until

app = typer.Typer()
app.command("exec")(exec_)


def planned(folder: Path, method: str = "single") -> RunFolder:
    (spec,) = plan(Request(methods=[method], datasets=["toy-all"], settings={"epochs": "1"}, seeds=[0]))
    run = RunFolder(folder / spec.folder)
    run.write_spec(spec)
    return run


def mtbench(place: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Return the command in a process of its own, since it blocks SIGTERM for good, with what is typed into it."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "MTBENCH_DATA": str(place / "data"),
    }
    command = [sys.executable, "-c", MTBENCH, "exec", *arguments, "--device", "cpu"]
    return subprocess.run(
        command, input=typed, cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_folder_stands_for_the_spec_in_it(tmp_path: Path) -> None:
    run = planned(tmp_path / "runs")
    done = mtbench(tmp_path, str(run.path))
    assert done.returncode == 0, done.stderr
    assert run.has_record


def test_a_file_of_another_name_is_read_itself_and_its_run_is_placed_in_a_results_folder(tmp_path: Path) -> None:
    decoy, wanted = planned(tmp_path / "runs"), planned(tmp_path / "runs", "uniform")
    file = decoy.path / "mine.json"  # beside the spec of another run
    file.write_bytes((wanted.path / "spec.json").read_bytes())
    done = mtbench(tmp_path, str(file))
    assert done.returncode == 0, done.stderr
    (record,) = tmp_path.rglob("record.json")
    assert record.parent == tmp_path / "results/local" / wanted.spec().folder
    assert json.loads(record.read_bytes())["record"]["spec"]["titles"]["method"] == "uniform"
    again = mtbench(tmp_path, str(decoy.path / "spec.json"), "--results", "elsewhere")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "elsewhere" / decoy.spec().folder / "record.json").exists()


@pytest.mark.parametrize("name", ["spec.json", "mine.json"])
def test_a_file_that_is_no_spec_is_named(tmp_path: Path, name: str) -> None:
    from mtbench.door.exec import place_run

    (tmp_path / name).write_text("{}")
    with pytest.raises(StoreError, match=rf"{tmp_path}/{name} is not the spec of a run \(\d+ fields are wrong\)"):
        place_run(tmp_path / name, None)
    with pytest.raises(StoreError, match=r"nowhere\.json cannot be read: No such file"):
        place_run(tmp_path / "nowhere.json", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_under_the_debugger_a_run_stops_at_its_first_line_and_goes_on_when_told(tmp_path: Path) -> None:
    run = planned(tmp_path / "runs")
    done = mtbench(tmp_path, str(run.path), "--pdb", typed="p 'asked ' + spec.titles.method\ncontinue\n")
    assert done.returncode == 0, done.stderr
    assert "train/trained.py(" in done.stdout
    assert "'asked single'" in done.stdout
    assert run.has_record


def test_quitting_the_debugger_is_no_failed_run(tmp_path: Path) -> None:
    run = planned(tmp_path / "runs")
    done = mtbench(tmp_path, str(run.path), "--pdb", typed="quit\n")
    assert (done.returncode, done.stderr) == (130, "the debugger was quit. The run is left as it was.\n")
    assert os.listdir(run.path) == ["spec.json"]


def test_an_error_opens_the_debugger_where_it_was_raised_and_is_no_failed_run(tmp_path: Path) -> None:
    run = planned(tmp_path / "runs", "toy-nan")
    done = mtbench(tmp_path, str(run.path), "--pdb", typed="continue\nwhere\nquit\n")
    assert done.returncode == 1, done.stderr
    assert "NonFiniteLoss: the loss of task 'lower' became nan" in done.stderr
    assert "post mortem: the debugger is where the error was raised" in " ".join(done.stdout.split())
    assert "-> raise _error(" in done.stdout
    assert "failure.json" not in os.listdir(run.path)
    assert not run.is_leased


def test_a_spec_keeps_its_identity_on_the_way_through_a_file(tmp_path: Path) -> None:
    run = planned(tmp_path / "runs")
    spec = replace(run.spec(), files={})
    (tmp_path / "mine.json").write_text(spec.to_json())
    from mtbench.door.exec import place_run

    run, asked = place_run(tmp_path / "mine.json", tmp_path / "other")
    assert run.spec() == asked == spec


def test_several_specs_are_trained_one_after_another_and_a_failure_stops_no_other(tmp_path: Path) -> None:
    runs = [planned(tmp_path / "runs", method) for method in ("toy-nan", "single", "uniform")]
    done = mtbench(tmp_path, *(str(run.path) for run in runs))
    assert done.returncode == 1, done.stderr
    assert [run.has_record for run in runs] == [False, True, True]
    assert runs[0].failure() is not None
    assert "3/3  toy-all uniform seed 0" in done.stdout


def test_the_debugger_takes_one_spec(tmp_path: Path) -> None:
    runs = [planned(tmp_path / "runs", method) for method in ("single", "uniform")]
    done = mtbench(tmp_path, *(str(run.path) for run in runs), "--pdb")
    assert (done.returncode, done.stderr) == (2, "Error: --pdb was given with 2 specs. Give it one.\n")


def test_in_a_job_the_output_of_a_run_that_fails_stays_in_its_folder(tmp_path: Path) -> None:
    good, bad = planned(tmp_path / "runs"), planned(tmp_path / "runs", "toy-nan")
    done = mtbench(tmp_path, str(good.path), "--job", "7_1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert good.has_record
    assert not (good.path / LOG).exists()
    done = mtbench(tmp_path, str(bad.path), "--job", "7_2")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
    assert "the loss of task 'lower' became nan" in " ".join((bad.path / LOG).read_text().split())


def test_a_job_waits_for_a_run_that_another_process_has(tmp_path: Path) -> None:
    run = planned(tmp_path / "runs")
    with Lease(run.path):
        job = start("exec", str(run.path), "--device", "cpu", "--data-root", str(tmp_path), "--job", "7_1")
        wait_until(lambda: (run.path / LOG).exists() and "waiting, since process" in (run.path / LOG).read_text())
        assert not run.has_record
    job.communicate(timeout=120)
    assert job.returncode == 0
    assert run.has_record


@pytest.mark.parametrize("others", [0, 1])
def test_a_run_whose_code_has_changed_since_it_was_submitted_is_refused_and_is_no_failed_run(
    tmp_path: Path, others: int
) -> None:
    runs = [planned(tmp_path / "runs"), *[planned(tmp_path / "runs", "uniform")] * others]
    expected = expected_of([run.spec() for run in runs])
    edited = replace(expected.code["method single"], hash="0" * 64)
    write_expected(tmp_path / "expected.json", replace(expected, code={**expected.code, "method single": edited}))
    done = mtbench(tmp_path, *(str(run.path) for run in runs), "--expect", str(tmp_path / "expected.json"))
    assert done.returncode == (1 if others else 2)
    assert "code of method 'single' has changed since the run was submitted" in " ".join(
        (done.stdout + done.stderr).split()
    )
    assert not runs[0].has_record
    assert runs[0].failure() is None
    assert all(run.has_record for run in runs[1:])


def test_checkpoints_are_written_at_intervals(tmp_path: Path) -> None:
    (spec,) = plan(Request(methods=["single"], datasets=["toy-all"], settings={"epochs": "4"}, seeds=[0]))
    seen: dict[float, list[bool]] = {}
    for every in (0.0, 3600.0):
        run = RunFolder(tmp_path / str(every))
        run.write_spec(spec)

        def watch(progress: Progress, run: RunFolder = run, every: float = every) -> None:
            seen.setdefault(every, []).append(run.has_checkpoint and progress.epoch > 0)

        execute(run, spec, tmp_path, "cpu", watch, checkpoint_every=every)
        assert run.has_record
    assert any(seen[0.0])
    assert not any(seen[3600.0])
