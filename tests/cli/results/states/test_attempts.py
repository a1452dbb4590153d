"""Attempts at runs, and lost work, as ``mtbench status`` shows them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mtbench.cli.app import app
from mtbench.plan.grid import Request, plan
from mtbench.store.record import TaskResult
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased
from tests.builders.published import publish
from tests.builders.records import accuracies, record_of
from tests.cli.commands import call


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def folders(place: Path) -> Sequence[Path]:
    """Two finished runs."""
    (spec,) = plan(Request(methods=["td"], datasets=["toy-all"], settings={}, seeds=[0]))
    results = {"test": {"upper": TaskResult(loss=0.5, count=48, metrics={"accuracy": 75.0})}}
    record = record_of(spec, accuracies("upper"), results)
    return [place / "kept" / each.folder for each in publish(place / "kept", record)]


def began(number: int, at: str, host: str = "alpha", job: str = "slurm 12_3", epoch: int | None = 0) -> dict[str, Any]:
    time = f"2025-06-01T{at}+00:00"
    return {"event": "began", "number": number, "host": host, "pid": 7, "job": job, "time": time, "epoch": epoch}


def ended(number: int, at: str, reason: str, epoch: int | None = None, saved: str = "") -> dict[str, Any]:
    moment = f"2025-06-01T{saved}+00:00" if saved else None
    time = at if "T" in at else f"2025-06-01T{at}+00:00"
    return {"event": "ended", "number": number, "time": time, "reason": reason, "epoch": epoch, "saved": moment}


def log(folder: Path, *events: dict[str, Any]) -> None:
    (folder / "attempts.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


INTERRUPTED = (
    began(1, "12:00:00"),
    ended(1, "12:10:00", "lost", saved="12:08:00"),
    began(2, "12:20:00", epoch=None),
    {"event": "resumed", "number": 2, "epoch": 7},
    ended(2, "12:20:30", "stopped", epoch=7),
    began(3, "23:50:00", host="beta[red]", epoch=7),
    ended(3, "2025-06-02T00:10:00+00:00", "done", epoch=20),
)


def shown(*arguments: str) -> str:
    done = call(app, "status", *arguments)
    assert done.exit_code == 0, done.output
    return done.output


def rows(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_each_attempt_at_a_run_has_a_row(folders: Sequence[Path]) -> None:
    log(folders[0], *INTERRUPTED)
    found = rows(shown("--why", str(folders[0]), "kept"))
    at = found.index("no. host job start (UTC) end reason epochs lost")
    assert found[at + 2 : at + 5] == [
        "1 alpha slurm 12_3 2025-06-01 12:00:00 12:10:00 lost 0 to 7 2 min",
        "2 alpha slurm 12_3 2025-06-01 12:20:00 12:20:30 stopped 7 to 7 30 s",
        "3 beta[red] slurm 12_3 2025-06-01 23:50:00 2025-06-02 00:10:00 done 7 to 20 0 s",
    ]


def test_a_single_attempt_that_is_done_and_a_run_without_a_log_have_no_table(folders: Sequence[Path]) -> None:
    log(folders[0], began(1, "12:00:00", job=""), ended(1, "12:10:00", "done", epoch=20))
    for folder in folders:
        assert "start (UTC)" not in shown("--why", str(folder), "kept")
    assert "Lost work" not in shown("kept")


def test_an_attempt_that_is_under_way_is_shown_as_running(folders: Sequence[Path]) -> None:
    (folders[0] / "record.json").unlink()
    with leased(RunFolder(folders[0])) as run:
        run.attempts.begin("", lambda _: None)
        found = rows(shown("--why", str(folders[0]), "kept"))
        assert "no. host start (UTC) end reason epochs lost" in found  # no job has a name
        assert found[-1].startswith("1 ")
        assert found[-1].endswith(" running 0")


def test_lost_work_of_all_runs_is_counted_in_a_line(folders: Sequence[Path]) -> None:
    log(folders[0], *INTERRUPTED)
    log(folders[1], began(1, "12:00:00"), ended(1, "12:00:05", "failed: no memory"))
    said = "Lost work: 3 of 4 attempts ended early, and 2 min 35 s of training with them."
    assert rows(shown("kept"))[-1] == said
