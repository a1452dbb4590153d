"""``--track`` and ``mtbench track``, as a person uses them; trackers that misbehave among them."""

import importlib.util
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import Result

import mtbench as mtbench_package
from mtbench.cli.app import app as main
from mtbench.cli.results.track import track
from mtbench.cli.training.run import run
from mtbench.cli.training.search import search
from mtbench.door.training import tracking
from mtbench.errors import PluginError, StoreError, UsageError
from mtbench.store.run.folder import RunFolder
from tests.builders.machines import with_mounts
from tests.cli.commands import MTBENCH, call
from tests.trackers.tracked import Held, of_csv, of_tensorboard, written

app = typer.Typer()
app.command("run")(run)
app.command("search")(search)
app.command("track")(track)
ASKED = ("--methods", "uniform", "--dataset", "toy-partial", "--seeds", "1", "--epochs", "3", "--set", "images=8")
KEPT = Path(__file__).parents[3] / "results"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path


def mtbench(*arguments: str) -> Result:
    return call(app, *arguments)


def bits(results: Path) -> str:
    """Return what the one run in a results folder has come to: results, curve, and sums of weights and predictions."""
    (path,) = results.rglob("record.json")
    record = RunFolder(path.parent).record()
    assert record is not None
    return repr((record.results, record.curve, record.files))  # of NaN too, which equals nothing


def curves(results: Path, *, as_float32: bool) -> Any:
    """Return what the files of the runs in a results folder have, by the identity of each run."""
    exact = 2.0**-23 if as_float32 else 0
    return {
        path.parent.name.rpartition("-")[2]: {
            name: [(epoch, pytest.approx(x, rel=exact, abs=0)) for epoch, x in values]
            for name, values in written(path.parent).items()
        }
        for path in results.rglob("curve.jsonl")
    }


def by_run(held: Held) -> Held:
    return {key.partition("-")[0]: values for key, values in held.items()}


def test_a_tracker_that_raises_waits_ends_or_fills_the_disk_stops_no_run(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "LAST", 15.0)
    wrong = [
        *(f"toy-raises:at={at}:folder=raises-{at}" for at in ("prepare", "held", "log", "finish")),
        *("toy-blocks:folder=blocks", "toy-exits:folder=exits"),
    ]
    asked = [word for tracker in wrong for word in ("--track", tracker)]
    tracked = mtbench("run", *ASKED, "--results", "tracked", *asked)
    assert tracked.exit_code == 0, tracked.output
    plain = mtbench("run", *ASKED, "--results", "plain")
    assert plain.exit_code == 0, plain.output
    assert bits(place / "tracked") == bits(place / "plain")
    assert not list(place.glob("*-tracked"))
    for tracker in wrong:
        assert (place / tracker.rpartition("=")[2] / "reached").exists(), tracker
        assert f"mtbench track tracked --to {tracker}\n" in tracked.output
    assert "Tracker toy-raises: RuntimeError: no held today. Runs are not affected." in tracked.output
    assert "Tracker toy-exits: its process has ended (enough)" in tracked.output
    assert "Tracker toy-blocks: not everything was sent" in tracked.output


def test_files_of_tensorboard_hold_the_curve_without_what_is_undefined(place: Path) -> None:
    done = mtbench("run", *ASKED, "--results", "mine", "--track", "tensorboard", "--track", "toy-csv:folder=csv")
    assert done.exit_code == 0, done.output
    assert f"Curves: tensorboard --logdir {place / 'mine-tracked' / 'tensorboard'}\n" in done.output
    (path,) = place.rglob("curve.jsonl")
    assert min(map(len, written(path.parent).values())) < 3, "something is undefined in an epoch"
    assert by_run(of_tensorboard(place / "mine-tracked" / "tensorboard")) == curves(place / "mine", as_float32=True)
    assert by_run(of_csv(place / "csv")) == curves(place / "mine", as_float32=False)


def test_a_tracker_that_fills_the_disk_of_the_runs_leaves_them_their_space(place: Path) -> None:
    small, asked = place / "small", [*ASKED, "--results", "small/results", "--track", "toy-fills:at=prepare"]
    small.mkdir()
    words = shlex.join([sys.executable, "-c", MTBENCH, "run", *asked])
    command = with_mounts(["sh", "-ec", f"{words}; cp -r small kept"], small=small, megabytes=64)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tracker toy-fills: OSError: [Errno 27] File too large. Runs are not affected." in done.stdout
    assert (place / "kept" / "results-tracked" / "toy-fills" / "filler").stat().st_size >= 16_000_000
    plain = mtbench("run", *ASKED, "--results", "plain")
    assert plain.exit_code == 0, plain.output
    assert bits(place / "kept" / "results") == bits(place / "plain")


def test_an_option_that_cannot_be_met_is_refused_before_anything_is_trained(place: Path) -> None:
    for tracker, error in {
        "tensorbord": "tracker 'tensorbord' is not installed. Did you mean 'tensorboard'?",
        "mlflow:port=3": "tracker 'mlflow' has no option 'port'. Its options: uri, experiment, folder.",
        "mlflow:sqlite": "'sqlite' in tracker 'mlflow:sqlite' is not an option. An option is name=value.",
        "mlflow:uri=a:uri=b": "tracker 'mlflow:uri=a:uri=b' gives an option twice.",
    }.items():
        with pytest.raises(UsageError) as caught:
            mtbench("run", *ASKED, "--track", tracker)
        assert str(caught.value).startswith(error)
    assert not list(place.iterdir())


def test_a_tracker_whose_package_is_missing_is_refused_with_the_command_that_installs_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tensorboard" else found(name))
    with pytest.raises(PluginError, match=r"needs a package .* pip install 'mtbench\[tensorboard\]'"):
        mtbench("run", *ASKED, "--track", "tensorboard")
    assert not list(place.iterdir())


def test_trackers_are_listed_and_their_options_shown() -> None:
    listed = call(main, "list", "trackers").output
    assert "Files for TensorBoard: a folder for each run, values against epochs, and hyperparameters." in listed
    assert listed.index("mlflow") < listed.index("tensorboard") < listed.index("toy-csv")
    shown = call(main, "info", "mlflow").output
    assert "mlflow, a tracker of mtbench" in shown
    assert [line.split()[0] for line in shown.splitlines() if "by default" in line or "name of MLflow" in line] == [
        *("uri", "experiment", "folder")
    ]


def test_a_dry_run_tracks_nothing(place: Path) -> None:
    done = mtbench("run", *ASKED, "--track", "toy-csv", "--dry-run")
    assert done.exit_code == 0, done.output
    assert not list(place.rglob("*tracked*"))


def test_all_trials_of_a_search_are_tracked_and_so_is_what_is_retrained(place: Path) -> None:
    asked = ("--methods", "uniform", "--dataset", "toy-all", "--trials", "2", "--retrain", "1", "--epochs", "1")
    done = mtbench("search", *asked, "--set", "images=20", "--results", "found", "--track", "toy-csv")
    assert done.exit_code == 0, done.output
    held = by_run(of_csv(place / "found-tracked" / "toy-csv"))
    assert held == curves(place / "found", as_float32=False)
    assert len(held) == 3
    assert any("val/upper/accuracy" in values for values in held.values())


def test_what_a_pack_holds_is_sent_later_and_once(place: Path) -> None:
    pack = place / "kept.zip"
    pack.symlink_to(KEPT / "2026-11-22-mmnist2-15-epochs" / "2026-11-29.zip")
    for _ in range(2):
        done = mtbench("track", "kept.zip", "--to", "toy-csv")
        assert (done.exit_code, done.output) == (0, "toy-csv has the curves of 8 of 8 runs in kept.zip.\n")
    held = of_csv(place / "kept-tracked" / "toy-csv")
    assert len(held) == 8
    with zipfile.ZipFile(pack) as members:
        (name,) = [name for name in members.namelist() if "moo" in name and name.endswith("curve.jsonl")][:1]
        members.extract(name, place / "plain")
    assert by_run(held).items() >= curves(place / "plain", as_float32=False).items()


def test_sending_fails_where_not_everything_can_be_sent(place: Path) -> None:
    pack = KEPT / "2026-11-22-mmnist2-15-epochs" / "2026-11-29.zip"
    done = mtbench("track", str(pack), "--to", f"toy-raises:folder={place}")
    assert done.exit_code == 1
    assert done.output == f"RuntimeError: no log today\ntoy-raises has the curves of 0 of 8 runs in {pack}.\n"
    with pytest.raises(StoreError, match="there is no results folder nowhere"):
        mtbench("track", "nowhere", "--to", "toy-csv")


def test_runs_of_python_are_tracked(place: Path) -> None:
    with pytest.raises(UsageError, match="tracker 'no-such' is not installed"):
        mtbench_package.run("uniform", "toy-all", 1, epochs=1, track="no-such", quiet=True)
    mtbench_package.run("uniform", "toy-all", 1, epochs=1, images=20, track=["toy-csv"], quiet=True)
    held = by_run(of_csv(place / "results" / "local-tracked" / "toy-csv"))
    assert held == curves(place / "results" / "local", as_float32=False)
    assert len(held) == 1
