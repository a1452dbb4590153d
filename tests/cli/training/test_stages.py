"""Suites whose rows take their task weights from the runs of other rows, as a person runs and reports them."""

import json
import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from typer.testing import Result

from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.store.record import read_record
from mtbench.store.record.sealed import seal
from tests.cli.commands import call, start
from tests.engines.slurm.fake import FakeSlurm
from tests.waits import wait_until

SUITE = """\
title = "Toys"

[protocol]
base = "quick"
epochs = 2
images = 64
seeds = 2

[[grid]]
datasets = ["toy-all"]
methods = ["uniform", "branches+nash-mtl", "branches+fixed:from=nash-mtl", "branches+fixed:from=uniform"]

[labels]
"branches+fixed:from=nash-mtl" = "as nash-mtl"

[[claim]]
dataset = "toy-all"
contrast = ["branches+fixed:from=nash-mtl", "branches+nash-mtl"]
direction = "equivalent"
margin = 99
"""
COMMAND = ("run", "--suite", "toys.toml", "--jobs", "2")
REPORT = ("report", "--suite", "toys.toml")
LOCAL = Path("results/local")
WAITING = """\
4 runs come after others, whose task weights they take:
  branches+fixed:from=nash-mtl on toy-all: 2 runs, after branches+nash-mtl (seeds 0, 1 are missing)
  branches+fixed:from=uniform on toy-all: 2 runs, after uniform (seeds 0, 1 are missing)
"""


def mtbench(*arguments: str) -> Result:
    return call(app, *arguments)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the command was done, and its output."""
    folder = tmp_path_factory.mktemp("done")
    (folder / "toys.toml").write_text(SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MTBENCH_DATA", str(folder / "data"))
        patch.setenv("COLUMNS", "400")
        found = mtbench(*COMMAND)
    assert found.exit_code == 0, found.output
    return folder, found.output


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "toys.toml").write_text(SUITE)
    return tmp_path


@pytest.fixture
def copied(place: Path, done: tuple[Path, str]) -> Path:
    """A copy of the folder in which the command was done."""
    shutil.copytree(done[0], place, dirs_exist_ok=True)
    return place


def weights_by_hand(folder: Path, method: str) -> list[float]:
    """Return the mean weights of the runs of a method, computed from the plain values in their records."""
    runs = []
    for path in sorted((folder / LOCAL / "toy-all" / method).glob("seed-*/record.json")):
        curve = json.loads(path.read_text())["record"]["curve"]
        points = [[point["weights"][task]["mean"] for task in ("upper", "lower")] for point in curve]
        assert len(points) == 2  # epochs, each of the same number of steps
        runs.append([sum(point[task] / sum(point) for point in points) / 2 for task in range(2)])
    assert len(runs) == 2
    return [sum(run[task] for run in runs) / 2 for task in range(2)]


def sealed(folder: Path) -> dict[str, list[float]]:
    found = [json.loads(path.read_text())["resolution"] for path in (folder / LOCAL).glob("suites/resolutions/*.json")]
    return {each["method"]: each["weights"] for each in found}


def test_the_second_stage_is_trained_with_the_mean_weights_of_the_first_in_one_command(done: tuple[Path, str]) -> None:
    folder, output = done
    weights = sealed(folder)
    nash = weights["branches+fixed:from=nash-mtl"]
    assert nash == pytest.approx(weights_by_hand(folder, "branches+nash-mtl"), abs=1e-6)
    assert nash != [0.5, 0.5]
    assert weights["branches+fixed:from=uniform"] == [0.5, 0.5]
    text = f"{nash[0]!r}/{nash[1]!r}"
    assert f"Sealed: branches+fixed:from=nash-mtl on toy-all has the weights {text} (upper/lower), the mean" in output
    assert re.search(r"4 runs: 4 to do, 0 done already(.|\n)*Sealed(.|\n)*4 runs: 4 to do, 0 done already", output)
    assert "8 of 8 runs have a record." in output
    assert len(list((folder / LOCAL / "toy-all" / f"branches+fixed,weights={nash[0]}_{nash[1]}").iterdir())) == 2


def test_constant_equal_weights_train_as_uniform_does(done: tuple[Path, str]) -> None:
    def losses(method: str) -> list[dict[str, float]]:
        paths = sorted((done[0] / LOCAL / "toy-all" / method).glob("seed-*/record.json"))
        return [dict(read_record(path.read_text(), "").curve[-1].train_losses) for path in paths]

    for one, other in zip(losses("uniform"), losses("branches+fixed,weights=0.5_0.5"), strict=True):
        assert one == pytest.approx(other, rel=1e-5)


def test_the_same_command_trains_nothing_more(copied: Path) -> None:
    before = {path: path.read_bytes() for path in (copied / LOCAL / "suites").rglob("*.json")}
    again = mtbench(*COMMAND).output
    assert "8 runs: 0 to do, 8 done already." in again
    assert "Sealed" not in again
    assert {path: path.read_bytes() for path in (copied / LOCAL / "suites").rglob("*.json")} == before


def test_reports_have_the_row_by_its_name_and_name_the_runs_behind_its_weights(copied: Path) -> None:
    shown = mtbench(*REPORT).output
    first, second = (
        json.loads(path.read_text())["record"]["spec"]
        for path in sorted((copied / LOCAL / "toy-all" / "branches+nash-mtl").glob("*/record.json"))
    )
    assert (first["seed"], second["seed"]) == (0, 1)
    ids = ", ".join(
        path.name.rpartition("-")[2] for path in sorted((copied / LOCAL / "toy-all" / "branches+nash-mtl").glob("s*"))
    )
    upper, lower = sealed(copied)["branches+fixed:from=nash-mtl"]
    assert (
        f"as nash-mtl has the mean task weights of branches+nash-mtl: upper {upper:g}, lower {lower:g}, over its 2 "
        f"runs ({ids}), sealed on 20" in shown
    )
    assert "have changed since" not in shown
    assert "toy-all: as nash-mtl" in shown
    assert "Not run" not in shown
    table = (copied / "reports/local/toys/toys-quick-toy-all-table.md").read_text()
    assert "| branches+fixed:from=uniform |" in table
    assert ids in table
    why = mtbench("why", "toy-all", "branches+fixed:from=nash-mtl", "mean", "--suite", "toys.toml")
    assert why.exit_code == 0, why.output


def test_a_pack_has_the_weights_and_its_report_is_the_same(copied: Path) -> None:
    before = mtbench(*REPORT, "--out", "one").output.partition("Written")[0]
    assert mtbench("store", "pack", "results/local", "toys.zip").exit_code == 0
    assert mtbench("store", "verify", "toys.zip").exit_code == 0
    shutil.rmtree(copied / "results")
    assert mtbench(*REPORT, "toys.zip", "--out", "other").output.partition("Written")[0] == before
    assert mtbench("store", "unpack", "toys.zip", "results/local").exit_code == 0
    assert "8 runs: 0 to do, 8 done already." in mtbench(*COMMAND).output


def test_before_the_first_stage_has_finished_its_rows_wait_and_are_counted(place: Path) -> None:
    for command in ((*COMMAND, "--dry-run"), ("plan", "--suite", "toys.toml")):
        shown = mtbench(*command).output
        assert "4 runs: 4 to do, 0 done already." in shown
        assert WAITING in shown
    assert not (place / "results").exists()
    assert "Runs: 8 at quick." in mtbench("suite", "show", "toys.toml").output
    one = mtbench(*COMMAND, "--seeds", "0,")
    assert one.exit_code == 0
    assert "2 runs come after others" in one.output
    assert "1 run, after branches+nash-mtl (seed 1 is missing)" in one.output
    assert "2 of 2 runs have a record." in one.output
    shown = mtbench(*REPORT).output
    assert "branches+fixed:from=nash-mtl (waits for all runs of branches+nash-mtl)" in shown
    assert mtbench("status").exit_code == 0
    assert "8 of 8 runs have a record." in mtbench(*COMMAND).output


def test_a_command_that_is_killed_between_the_stages_goes_on_and_seals_alike(
    place: Path, done: tuple[Path, str]
) -> None:
    process = start(*COMMAND)
    wait_until(lambda: len(list(place.rglob("record.json"))) >= 4 or process.poll() is not None)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=300)
    assert mtbench(*COMMAND).exit_code == 0
    assert sealed(place) == sealed(done[0])


def test_a_first_stage_that_has_other_weights_by_now_is_refused_by_the_command_and_named_in_reports(
    copied: Path,
) -> None:
    path = sorted((copied / LOCAL / "toy-all" / "branches+nash-mtl").glob("seed-*/record.json"))[0]
    body = json.loads(path.read_text())["record"]
    for point in body["curve"]:
        point["weights"]["upper"]["mean"] *= 3
    path.write_text(seal("record", body))
    with pytest.raises(UsageError, match=r"the runs of branches\+nash-mtl on toy-all have changed since .*Sealed on"):
        mtbench(*COMMAND)
    shown = mtbench(*REPORT).output
    assert "These runs have changed since: their mean is another one." in shown
    for file in (copied / LOCAL / "suites" / "resolutions").iterdir():
        file.unlink()
    assert "2 to do" in mtbench(*COMMAND).output  # with other weights


def test_a_suite_whose_first_stage_is_another_one_now_is_refused(copied: Path) -> None:
    (copied / "toys.toml").write_text(SUITE.replace("epochs = 2", "epochs = 2\nlr = 0.5"))
    with pytest.raises(UsageError, match="are of runs that suite 'toys' does not have any more: it was changed"):
        mtbench(*COMMAND, "--dry-run")


def test_stale_runs_of_the_first_stage_give_no_weights(copied: Path) -> None:
    shutil.rmtree(copied / LOCAL / "suites" / "resolutions")
    for path in (copied / LOCAL / "toy-all" / "uniform").glob("seed-*/record.json"):
        body = json.loads(path.read_text())["record"]
        body["fingerprints"]["numerics"] = 0
        path.write_text(seal("record", body))
    shown = mtbench(*COMMAND)
    assert shown.exit_code == 1
    assert "2 runs, after uniform (seeds 0, 1 are stale: --refresh stale trains them again)" in shown.output
    assert list(sealed(copied)) == ["branches+fixed:from=nash-mtl"]


@pytest.mark.usefixtures("place")
def test_what_does_not_go_with_two_stages_is_refused() -> None:
    with pytest.raises(UsageError, match=r"rows that take their weights from all runs of another one"):
        mtbench(*COMMAND, "--until-decided")
    with pytest.raises(UsageError, match=r"runs with lr=0\.5 are not those of suite 'toys'.*size only"):
        mtbench(*COMMAND, "--set", "lr=0.5")
    with pytest.raises(UsageError, match=r"'from' stands in the \[\[grid\]\] of a suite only"):
        mtbench("run", "--methods", "branches+fixed:from=nash-mtl", "--dataset", "toy-all")


def test_fewer_seeds_are_another_number_of_the_protocol(place: Path) -> None:
    assert "4 of 4 runs have a record." in mtbench(*COMMAND, "--set", "seeds=1").output
    assert len(sealed(place)) == 2
    assert "8 of 8 runs have a record." in mtbench(*COMMAND).output  # with the weights of the one run
    assert "over its run (" in mtbench(*REPORT).output


def test_schedulers_get_the_commands_of_runs_that_can_be_trained(copied: Path) -> None:
    shutil.rmtree(copied / LOCAL / "suites" / "resolutions")
    for path in (copied / LOCAL / "toy-all").glob("branches+fixed*"):
        shutil.rmtree(path)
    shown = mtbench("plan", "--suite", "toys.toml")
    assert "its weights can be sealed" in shown.output
    lines = mtbench("plan", "--suite", "toys.toml", "--format", "xargs").stdout.splitlines()
    assert len(lines) == 4
    assert len(sealed(copied)) == 2


def test_with_an_engine_that_does_not_wait_the_rows_that_come_after_are_named(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeSlurm(place / "slurm", monkeypatch)
    shown = mtbench("run", "--suite", "toys.toml", "--engine", "slurm")
    assert shown.exit_code == 0, shown.output
    assert WAITING in shown.output
    assert "4 runs are left to the scheduler." in shown.output
    assert sealed(place) == {}
