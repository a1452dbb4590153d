"""``mtbench run``, ``status`` and ``exec``, as a person uses them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import Result

import mtbench as mtbench_package
from mtbench.cli.results.states.status import status
from mtbench.cli.training.exec import exec_
from mtbench.cli.training.run import run
from mtbench.errors import DataError, StoreError, UsageError
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.fingerprint import NUMERICS
from tests.cli.commands import call, start
from tests.waits import wait_until

app = typer.Typer()
app.command("run")(run)
app.command("status")(status)
app.command("exec")(exec_)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path


def mtbench(*arguments: str) -> Result:
    return call(app, *arguments)


def records(root: Path) -> dict[str, int]:
    return {str(path.parent): path.stat().st_mtime_ns for path in root.rglob("record.json")}


def test_a_grid_is_run_and_then_there(place: Path) -> None:
    first = mtbench("run", "--methods", "moo,td", "--dataset", "toy-all", "--seeds", "1", "--epochs", "1")
    assert first.exit_code == 0, first.output
    assert "2 runs: 2 to do, 0 done already." in first.output
    assert "2 of 2 runs have a record. Tables and figures: mtbench report\n" in first.output
    before = records(place)
    assert len(before) == 2
    second = mtbench("run", "--methods", "moo,td,single", "--dataset", "toy-all", "--seeds", "1", "--epochs", "1")
    assert "3 runs: 1 to do, 2 done already." in second.output
    after = records(place)
    assert {name: after[name] for name in before} == before
    shown = mtbench("status").output
    assert re.search(r"^toy-all +paper, epochs=1 +moo +1 *$", shown, re.MULTILINE)


def test_a_finished_run_is_a_line_with_its_result_and_its_time_and_a_table_ends_the_command() -> None:
    result = mtbench("run", "--method", "single", "--datasets", "toy-all", "--seeds", "0-1", "--epochs", "1")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    for count in ("1/2", "2/2"):
        (line,) = [line for line in lines if line[:2] == ["done", count]]
        assert line[2:5] == ["toy-all", "single", "seed"]
        assert re.fullmatch(r"\d+\.\d % \d+ (s|min( \d+ s)?)", " ".join(line[6:]))
    (row,) = [line for line in lines if line[:1] == ["toy-all"] and "±" in line]
    frame = mtbench_package.load("results/local")
    mean = frame[(frame.split == "test") & (frame.task == "mean") & frame.primary]["value"]
    assert float(row[row.index("±") - 1]) == pytest.approx(mean.mean(), abs=0.005)
    assert float(row[row.index("±") + 1]) == pytest.approx(mean.std(), abs=0.005)
    assert row[-1] == "2"


def test_a_verbose_dry_run_lists_every_run_and_the_hint_has_the_time_of_a_preview(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def seconds(specs: Sequence[RunSpec], **_: object) -> float:
        return sum(100.0 * spec.protocol.epochs for spec in specs)

    for user in ("mtbench.door.training.work", "mtbench.engines.forecast"):
        monkeypatch.setattr(f"{user}.estimate", seconds)
    result = mtbench("run", "--methods", "single,td", "--dataset", "toy-all", "--seeds", "2", "--dry-run", "-v")
    rows = [line.split() for line in result.output.splitlines() if line.split()[:1] == ["missing"]]
    assert [(row[-2], row[-1]) for row in rows] == [("single", "0"), ("td", "0"), ("single", "1"), ("td", "1")]
    assert ": about 20 min.\n" in result.output, "4 runs of 3 epochs"
    assert "A preview takes about 13 min 20 s: add --quick to the same command.\n" in result.output, "of 2 epochs"


def test_status_takes_folders_as_arguments() -> None:
    command = ("run", "--dataset", "toy-all", "--seeds", "1", "--epochs", "1", "--quiet")
    assert mtbench(*command, "--methods", "single", "--results", "a").exit_code == 0
    assert mtbench(*command, "--methods", "moo", "--results", "b").exit_code == 0
    assert [line.split()[-2] for line in mtbench("status", "a").output.splitlines()[1:]] == ["single"]
    assert mtbench("status", "a", "b").output == mtbench("status", "--results", "a", "--results", "b").output
    assert {line.split()[-2] for line in mtbench("status", "b", "a").output.splitlines()[1:]} == {"single", "moo"}


def test_a_file_that_was_moved_is_given_anew_and_the_same_run_goes_on(place: Path) -> None:
    (place / "weights").mkdir()
    (place / "weights" / "shift.txt").write_text("0.5")

    def command(path: str) -> Result:
        chosen = ["--methods", f"single@toy-shifted:shift={path}", "--dataset", "toy-all"]
        return mtbench("run", *chosen, "--seeds", "1", "--epochs", "1", "--results", "results")

    assert command("weights/shift.txt").exit_code == 0
    (folder,) = {path.parent for path in place.rglob("spec.json")}
    (folder / "record.json").unlink()  # as if it had not been finished
    (place / "weights" / "shift.txt").rename(place / "moved.txt")
    with pytest.raises(DataError, match=r"which cannot be read at .*weights/shift\.txt, where it was last"):
        mtbench("exec", str(folder / "spec.json"))
    with pytest.raises(UsageError, match="there is no such file"):
        command("weights/shift.txt")
    again = command("moved.txt")
    assert "1 run: 1 to do, 0 done already." in again.output
    assert "1 of 1 run has a record." in again.output
    assert {path.parent for path in place.rglob("spec.json")} == {folder}
    for name in ("spec.json", "record.json"):
        assert str(place) not in (folder / name).read_text()
        assert "shift.txt" not in (folder / name).read_text()
    assert "1 run: 0 to do, 1 done already." in command("./weights/../moved.txt").output


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(place: Path) -> None:
    result = mtbench("run", "--methods", "moo", "--dataset", "toy-all", "--dry-run")
    assert result.exit_code == 0
    assert "2 runs: 2 to do, 0 done already." in result.output
    assert re.search(r"^Weights and records need about 0\.\d MB in results/local, and meanwhile", result.output, re.M)
    assert "at a time on" in result.output
    assert os.listdir(place) == []


def test_runs_for_which_the_disk_has_no_room_are_refused_before_training(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(place)._replace(free=1_200_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    asked = ("--methods", "moo", "--dataset", "toy-all", "--seeds", "1", "--epochs", "1")
    assert mtbench("run", *asked).exit_code == 0
    refused = r"the weights, records and checkpoints of 3 runs need 1\.\d MB in results/local, and the disk has 1\.2 MB"
    with pytest.raises(StoreError, match=refused):
        mtbench("run", *asked[:-4], "--seeds", "4", "--epochs", "1", "--jobs", "1")
    with pytest.raises(StoreError, match=refused):
        mtbench_package.run("moo", "toy-all", seeds=4, epochs=1, quiet=True, jobs=1)
    assert len(records(place)) == 1
    assert "the disk" not in mtbench("run", *asked).output


def test_a_failed_run_makes_the_exit_code_one_and_is_left_alone_until_asked_for(place: Path) -> None:
    command = ("run", "--methods", "toy-nan,single", "--dataset", "toy-all", "--seeds", "1", "--quiet")
    first = mtbench(*command)
    assert first.exit_code == 1
    lines = first.output.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("failed toy-all toy-nan seed 0: the loss of task 'lower' became nan at step 3")
    assert lines[1] == "1 of 2 runs have a record. Tables and figures: mtbench report"
    again = mtbench(*command[:-1])
    assert again.exit_code == 1
    assert "2 runs: 0 to do, 1 done already." in again.output
    assert "1 failed, left as they are; retrain them with --refresh failed:" in again.output
    (folder,) = place.glob("results/local/toy-all/toy-nan/*")
    assert not (folder / "superseded-1").exists()
    assert mtbench(*command, "--refresh", "failed").exit_code == 1
    assert (folder / "superseded-1" / "failure.json").exists()


@pytest.mark.parametrize("place_of_the_bit", [0.3, 0.9])
def test_a_record_with_a_flipped_bit_is_named_and_mended_by_running_again(place: Path, place_of_the_bit: float) -> None:
    command = ("run", "--methods", "single", "--dataset", "toy-all", "--seeds", "1", "--epochs", "1")
    mtbench(*command)
    (record,) = place.rglob("record.json")
    whole = json.loads(record.read_text())["record"]
    data = bytearray(record.read_bytes())
    data[int(place_of_the_bit * len(data))] ^= 1
    record.write_bytes(data)
    assert f"damaged toy-all single seed 0: the record {record.relative_to(place)}" in mtbench("status").output
    assert mtbench(*command).exit_code == 1
    assert mtbench(*command, "--refresh", "stale,damaged").exit_code == 0
    assert json.loads(record.read_text())["record"]["results"] == whole["results"]
    assert (record.parent / "superseded-1" / "record.json").read_bytes() == data


def test_a_path_with_brackets_is_printed_whole(place: Path) -> None:
    (place / "[bold]r").mkdir()
    assert mtbench("status", "--results", "[bold]r").output == "No runs in [bold]r yet.\n"


def test_a_stale_record_counts_until_it_is_refreshed(place: Path) -> None:
    command = ("run", "--methods", "single", "--dataset", "toy-all", "--seeds", "1", "--epochs", "1")
    mtbench(*command)
    (record,) = place.rglob("record.json")
    make_stale(record)
    result = mtbench(*command)
    assert result.exit_code == 0
    assert "1 stale, left as they are; retrain them with --refresh stale:" in result.output
    assert f"  stale toy-all single seed 0: NUMERICS 0 -> {NUMERICS}" in result.output
    assert mtbench(*command, "--refresh", "stale").exit_code == 0
    assert "stale" not in mtbench(*command).output


def make_stale(path: Path) -> None:
    from dataclasses import replace

    from mtbench.store.record import read_record, render_record

    record = read_record(path.read_bytes(), str(path))
    path.write_text(render_record(replace(record, fingerprints=replace(record.fingerprints, numerics=0))))


def test_exec_does_the_run_of_a_spec(place: Path) -> None:
    mtbench("run", "--methods", "single", "--dataset", "toy-all", "--seeds", "1", "--epochs", "1")
    (record,) = place.rglob("record.json")
    record.unlink()
    process = start("exec", str(record.with_name("spec.json")), "--device", "cpu")  # it blocks SIGTERM for good
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "done" in output
    assert record.exists()


def test_status_without_runs_says_so(place: Path) -> None:
    (place / "r").mkdir()
    assert mtbench("status", "--results", "r").output == "No runs in r yet.\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--refresh", "stales"), "--refresh is 'stales'. Did you mean 'stale'? Allowed: stale, failed, damaged, all."),
        (
            ("--set", "lr"),
            "--set is 'lr'. Write KEY=VALUE, as in --set lr=0.0005. Keys: epochs, batch, lr, optimizer, ",
        ),
        (
            ("--quick", "--protocol", "long"),
            "--quick is short for --protocol quick, and --protocol long was given too.",
        ),
        (("--jobs", "0"), "--jobs is '0'. Allowed: a whole number, 1 to 1,024."),
        (("--set", "lrr=1"), "a protocol has no setting 'lrr'. Did you mean 'lr'?"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_written(
    place: Path, arguments: tuple[str, ...], text: str
) -> None:
    with pytest.raises(UsageError) as caught:
        mtbench("run", "--methods", "single", "--dataset", "toy-all", *arguments)
    assert str(caught.value).startswith(text)
    assert os.listdir(place) == []


def test_two_commands_started_together_share_the_work(place: Path) -> None:
    grid = ("run", "--methods", "single,moo,td", "--dataset", "toy-all", "--seeds", "2", "--jobs", "1")
    both = [start(*grid), start(*grid)]
    outputs = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert len(records(place)) == 6
    # A run that was trained by one of them was started by it alone: its progress shows in one output.
    first, second = ({line.partition(":")[0] for line in out.splitlines() if ": epoch" in line} for out, _ in outputs)
    assert len(first | second) == 6
    assert not first & second
    assert not list(place.rglob("claim.*"))


def test_ctrl_c_leaves_checkpoints_and_the_same_command_goes_on(place: Path) -> None:
    grid = ("run", "--methods", "td", "--dataset", "toy-all", "--seeds", "2", "--epochs", "400", "--jobs", "2")
    process = start(*grid)
    wait_until(lambda: len(list(place.rglob("checkpoint.pt"))) == 2 or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate(timeout=300)[1]
    assert process.returncode == 130
    assert errors == "stopped by SIGINT. The same command resumes it.\n"
    assert not list(place.rglob("claim.*"))
    assert not list(place.rglob("failure.json"))
    text = mtbench(*grid, "--dry-run").output
    assert "2 runs: 2 to do, 2 of them resumed from a checkpoint, 0 done already." in text


def test_help_does_not_import_torch() -> None:
    modules = "{'torch', 'numpy', 'mtbench.plan'}"
    code = f"import sys; from mtbench.cli.training import run; print(sorted({modules} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, timeout=300) == "[]\n"


def test_specs_are_written_for_schedulers_before_the_first_run(place: Path) -> None:
    mtbench("run", "--methods", "single", "--dataset", "toy-all", "--seeds", "1", "--epochs", "1", "--quiet")
    (spec,) = place.rglob("spec.json")
    assert json.loads(spec.read_text())["protocol"]["epochs"] == 1
