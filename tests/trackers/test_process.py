"""Processes of trackers, beside commands or killed; real ones."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mtbench.plan.spec import Choice
from mtbench.trackers.process import LEFT, Order, largest_file
from tests.cli.commands import start
from tests.trackers.tracked import READERS, of_csv, of_tensorboard, point, spec_of, write_curve, written
from tests.waits import DEADLINE, wait_until

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def follow(tracker: str, folder: Path, *runs: Path, last: float = DEADLINE) -> "subprocess.Popen[str]":
    """Start the process of a tracker in a folder, as a command does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "runs").write_text("".join(json.dumps(str(run)) + "\n" for run in runs))
    place, listed = str(folder / "place"), str(folder / "runs")
    order = Order(tracker=Choice(name=tracker), place=place, runs=listed, last=last)
    (folder / "order.json").write_text(order.to_json())
    return subprocess.Popen(
        [sys.executable, "-m", "mtbench.trackers.process", str(folder / "order.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        start_new_session=True,
    )


def end(process: "subprocess.Popen[str]") -> tuple[int, list[str]]:
    """Let the command of a process end, and return its exit status and its sentences."""
    said, _ = process.communicate(timeout=DEADLINE)
    return process.returncode, said.splitlines()


def test_a_process_that_is_killed_loses_nothing_and_sends_nothing_twice(tmp_path: Path) -> None:
    spec, points = spec_of(), [point(epoch) for epoch in range(1, 9)]
    run = write_curve(tmp_path, spec, points[:3])
    place = tmp_path / "tracker" / "place"

    def epochs() -> list[int]:
        return [epoch for values in of_tensorboard(place).values() for epoch, _ in values["test/left/accuracy"]]

    first = follow("tensorboard", tmp_path / "tracker", run)
    wait_until(lambda: epochs() == [1, 2, 3])
    write_curve(tmp_path, spec, points[:5])
    wait_until(lambda: len(epochs()) > 3)
    first.kill()
    first.communicate(timeout=DEADLINE)
    write_curve(tmp_path, spec, points)
    assert end(follow("tensorboard", tmp_path / "tracker", run)) == (0, [])
    assert epochs() == list(range(1, 9))


def test_what_its_command_adds_is_followed_and_sent_before_it_ends(tmp_path: Path) -> None:
    first = write_curve(tmp_path, spec_of(0), [point(1)])
    process = follow("toy-csv", tmp_path / "tracker", first)
    place = tmp_path / "tracker" / "place"
    wait_until(lambda: len(of_csv(place)) == 1)
    with (tmp_path / "tracker" / "runs").open("a") as file:
        file.write(json.dumps(str(write_curve(tmp_path, spec_of(1), [point(1), point(2)]))) + "\n")
    assert end(process) == (0, [])
    assert sorted(len(values["test/left/loss"]) for values in of_csv(place).values()) == [1, 2]


@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow"])
def test_two_first_starts_at_once_disturb_neither_and_nothing_is_there_twice(tracker: str, tmp_path: Path) -> None:
    common = write_curve(tmp_path / "common", spec_of(0), [point(1), point(2, accuracy=float("nan"))])
    own = [write_curve(tmp_path / f"own-{seed}", spec_of(seed), [point(1, loss=float("inf"))]) for seed in (1, 2)]
    commands = [
        start("track", str(tmp_path / "common"), str(run.parents[2]), "--to", f"{tracker}:folder={tmp_path / 'place'}")
        for run in own
    ]
    for command in commands:
        said, errors = command.communicate(timeout=DEADLINE)
        assert command.returncode == 0, said + errors
        assert said.count(f"{tracker} has the curves of 1 of 1 run in") == 2
    found = {key[:12]: values for key, values in READERS[tracker](tmp_path / "place").items()}
    expected: Any = {
        spec_of(seed).id: {name: [(epoch, pytest.approx(x)) for epoch, x in of] for name, of in written(run).items()}
        for seed, run in enumerate((common, *own))
    }
    assert found == expected


def test_a_process_whose_command_was_killed_ends_itself(tmp_path: Path) -> None:
    run = write_curve(tmp_path, spec_of(), [point(1)])
    process = follow("toy-blocks", tmp_path / "tracker", run, last=0.5)
    wait_until((tmp_path / "tracker" / "place" / "reached").exists)
    assert end(process) == (LEFT, [])


def test_a_file_without_end_takes_half_of_the_space_at_most(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(bytes(5000))
    assert largest_file(tmp_path, free=10_000) == 10_000
    assert largest_file(tmp_path / "none", free=10_000) == 5000


def test_a_tracker_is_a_small_process_without_torch() -> None:
    code = "import sys, mtbench.trackers.process, mtbench.trackers.tensorboard, mtbench.trackers.mlflow; " + (
        "print(sorted({'torch', 'mlflow', 'tensorboard', 'pandas', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
