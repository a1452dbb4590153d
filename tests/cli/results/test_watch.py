"""``mtbench status --watch`` into a pipe: a line for each change, until no run is running."""

import threading
from pathlib import Path

import pytest

from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.fingerprint import fingerprints
from mtbench.store.record import Record, TaskResult
from mtbench.store.results import mark_results
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased
from tests.builders.records import accuracies, record_of
from tests.cli.commands import call, start

DEADLINE = 240


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[RunSpec]:
    """A folder to work in, with two planned runs in ``kept``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    mark_results(Path("kept"))
    found = plan(Request(methods=["td"], datasets=["toy-all"], settings={}, seeds=[0, 1]))
    for spec in found:
        RunFolder(Path("kept", spec.folder)).write_spec(spec)
    return found


def record(spec: RunSpec) -> Record:
    results = {"test": {"upper": TaskResult(loss=0.5, count=48, metrics={"accuracy": 75.0})}}
    return record_of(spec, accuracies("upper"), results, fingerprints=fingerprints(spec, "toy-1"))


def without_times(lines: list[str]) -> list[str]:
    return [line[len("2026-11-30 07:10:02 ") :] for line in lines]


def test_each_change_is_a_line_and_the_watch_ends_when_nothing_runs(specs: list[RunSpec]) -> None:
    first, second = (RunFolder(Path("kept", spec.folder)) for spec in specs)
    with leased(first) as held:
        process = start("status", "kept", "--watch", "--interval", "0.5")
        watchdog = threading.Timer(DEADLINE, process.kill)
        watchdog.start()
        assert process.stdout is not None
        lines = [process.stdout.readline().rstrip()]
        with leased(second) as other:
            lines.append(process.stdout.readline().rstrip())
            other.write_failure(kind="exception", message="it broke")
        lines.append(process.stdout.readline().rstrip())
        held.publish(record(specs[0]), {}, {})
    rest, errors = process.communicate(timeout=DEADLINE)
    watchdog.cancel()
    assert (process.returncode, errors) == (0, "")
    assert without_times([*lines, *rest.splitlines()]) == [
        "1 missing, 1 running",
        "toy-all, paper, td, seed 1: missing -> running",
        "toy-all, paper, td, seed 1: running -> failed: it broke",
        "toy-all, paper, td, seed 0: running -> fresh",
        "no run is running: 1 failed, 1 fresh",
    ]


def test_where_nothing_runs_and_nothing_is_missing_the_watch_says_so_and_ends(specs: list[RunSpec]) -> None:
    for spec in specs:
        RunFolder(Path("kept", spec.folder)).write_failure(kind="exception", message="it broke")
    done = call(app, "status", "kept", "--watch", "--interval", "0.5")
    assert without_times(done.output.splitlines()) == ["2 failed", "no run is running: 2 failed"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--watch", "--interval", "0.1"], "--interval is '0.1'. Allowed: a number, 0.5 to 3,600."),
        (["--watch", "--interval", "nan"], "--interval is 'nan'."),
        (["--interval", "5"], "--interval is for --watch."),
        (["--watch", "--why", "abc"], "--why and --watch are both given."),
    ],
)
def test_options_that_do_not_fit_are_errors(words: list[str], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        call(app, "status", "kept", *words)
    assert expected in str(caught.value)
