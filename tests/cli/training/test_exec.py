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
from mtbench.errors import StoreError
from mtbench.plan.grid import Request, plan
from mtbench.store.run.folder import RunFolder
from tests.cli.commands import MTBENCH

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
