"""Decisions on runs that are tasks of a cluster, by their folders; the cluster is a list of messages."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mtbench.engines.engine import Job, Outcome
from mtbench.engines.job import execute
from mtbench.engines.ray import driver as module
from mtbench.engines.ray.cluster import Connection
from mtbench.engines.ray.driver import Driver
from mtbench.engines.ray.messages import Nodes, Over, Submit
from mtbench.engines.ray.options import RayOptions
from mtbench.errors import RunError
from mtbench.store.run.checkpoint import CHECKPOINT
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import SILENCE
from tests.engines.contract import Events, grid, site_of

LOST = "its worker was lost (NodeDiedError)"


class Cluster(Connection):
    """A cluster of which a test tells what becomes of each task: a function of the number of the task and its run."""

    def __init__(self, fate: Callable[[int, RunFolder], Over | None], alive: int = 1, *, fit: bool = True) -> None:
        self.job, self.nodes, self.fate = "01", Nodes(alive=alive, fit=fit), fate
        self.tasks: list[Submit] = []
        self.open: dict[int, Submit] = {}

    def submit(self, task: Submit) -> None:
        self.tasks.append(task)
        self.open[task.number] = task

    def receive(self, seconds: float) -> list[Over]:  # noqa: ARG002
        time.sleep(0.001)
        found = [self.fate(number, RunFolder(Path(task.folder))) for number, task in self.open.items()]
        over = [each for each in found if each is not None]
        for each in over:
            del self.open[each.number]
        return over

    def stop(self) -> None:
        self.fate = lambda number, _: lost(number, "its task was canceled")


def lost(number: int, why: str = LOST) -> Over:
    return Over(number=number, code=None, why=why, is_lost=True)


def ended(number: int, code: int = 0) -> Over:
    return Over(number=number, code=code, why="", is_lost=False)


def train(run: RunFolder) -> None:
    execute(run, run.spec(), Path("unused"), "cpu")


def drive(
    folder: Path,
    fate: Callable[[int, RunFolder], Over | None],
    asked: Sequence[signal.Signals] = (),
    prepare: Callable[[Job], None] = lambda _: None,
) -> tuple[Outcome, list[str], Cluster]:
    """Drive one run, and return its end, the events and the cluster."""
    site, events, cluster = site_of(folder), Events(), Cluster(fate)
    (job,) = grid(site, "single", epochs="1")
    prepare(job)
    driver = Driver([job], site, None, RayOptions(), events, asked)
    driver.drive(cluster)
    (outcome,) = driver.outcomes
    return outcome, [event for _, event in events.seen], cluster


def foreign_lease(job: Job, age: float = 0.0) -> Path:
    """Lease a run for a process of another host, with a heartbeat of some seconds ago."""
    path = job.folder / "claim.1"
    path.write_text(json.dumps({"host": "elsewhere boot pid", "pid": 1, "started": "1", "token": "some"}))
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_a_task_that_ends_is_believed_by_its_record_alone(tmp_path: Path) -> None:
    def fate(number: int, run: RunFolder) -> Over:
        train(run)
        return ended(number, code=1)

    outcome, events, cluster = drive(tmp_path, fate)
    assert (outcome.how, outcome.why) == ("done", "")
    assert events == ["started", "done"]
    (task,) = cluster.tasks
    assert task.words[-2:] == ("--job", "ray 01-1")
    outcome, events, _ = drive(tmp_path / "other", lambda number, _: ended(number))
    assert (outcome.how, outcome.why) == ("failed", "its exit code is 0")


def test_a_task_has_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, _, cluster = drive(Path("here"), lambda number, _: ended(number))
    (task,) = cluster.tasks
    spec = Path(task.words[task.words.index("exec") + 1])
    assert spec.is_file()
    assert spec.is_absolute()
    assert (task.folder, task.log) == (str(spec.parent), str(spec.parent / "log.txt"))


def test_a_run_whose_machine_is_lost_is_repeated_and_given_up_after_three_attempts(tmp_path: Path) -> None:
    def fate(number: int, run: RunFolder) -> Over:
        if number == 2:
            train(run)
        return lost(number)

    outcome, events, cluster = drive(tmp_path / "once", fate)
    assert (outcome.how, events) == ("done", ["again", "started", "done"])
    assert [task.number for task in cluster.tasks] == [1, 2]
    outcome, events, _ = drive(tmp_path / "always", lambda number, _: lost(number))
    assert (outcome.how, outcome.why) == ("failed", f"{LOST}, 3 times")
    assert events == ["again", "again", "failed"]
    outcome, events, cluster = drive(tmp_path / "always", lambda number, _: lost(number))
    assert (outcome.how, events, cluster.tasks) == ("failed", ["failed"], [])


def test_attempts_that_reach_a_checkpoint_are_not_counted(tmp_path: Path) -> None:
    def fate(number: int, run: RunFolder) -> Over:
        if number == 9:
            train(run)
        else:
            (run.path / CHECKPOINT).write_bytes(b"." * number)
        return lost(number)

    outcome, events, _ = drive(tmp_path, fate)
    assert (outcome.how, events) == ("done", [*["again"] * 8, "started", "done"])


def test_a_process_that_outlives_its_worker_is_waited_for(tmp_path: Path) -> None:
    claims = []

    def fate(number: int, run: RunFolder) -> Over:
        if number == 1:
            claims.append(foreign_lease(Job(folder=run.path, title="")))
        else:
            assert not claims[0].exists()
            train(run)
        return lost(number)

    class Fading(Events):
        looks = 0

        def refresh(self) -> None:
            self.looks += 1
            if self.looks == 20:
                claims[0].unlink()

    site, events, cluster = site_of(tmp_path), Fading(), Cluster(fate)
    driver = Driver(grid(site, "single", epochs="1"), site, None, RayOptions(), events, ())
    driver.drive(cluster)
    assert [event for _, event in events.seen] == ["again", "started", "done"]
    assert events.looks > 20


def test_a_run_of_another_host_is_submitted_when_its_heartbeat_is_too_old(tmp_path: Path) -> None:
    claims: list[Path] = []

    def fate(number: int, run: RunFolder) -> Over:
        train(run)
        return ended(number)

    class Aging(Events):
        def ended(self, job: Job, how: str, why: str) -> None:
            super().ended(job, how, why)
            if how == "busy":
                os.utime(claims[0], (time.time() - SILENCE - 9,) * 2)

    site, events, cluster = site_of(tmp_path), Aging(), Cluster(fate)
    jobs = grid(site, "single", epochs="1")
    claims.append(foreign_lease(jobs[0]))
    driver = Driver(jobs, site, None, RayOptions(), events, ())
    driver.drive(cluster)
    assert [event for _, event in events.seen] == ["busy", "started", "done"]


def test_a_run_that_shows_no_sign_of_life_is_submitted_again_though_its_task_has_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENT", 0.0)
    monkeypatch.setattr(module, "LOOK", 0.0)

    def fate(number: int, run: RunFolder) -> Over | None:
        if number == 1:
            if run.is_leased:
                os.utime(run.path / "claim.1", (time.time() - SILENCE - 9,) * 2)
            elif not (run.path / "claim.1").exists():
                foreign_lease(Job(folder=run.path, title=""))
            return None
        train(run)
        return ended(number)

    outcome, events, cluster = drive(tmp_path, fate)
    assert (outcome.how, events) == ("done", ["started", "again", "started", "done"])
    assert list(cluster.open) == [1]


def test_a_failure_is_told_by_its_own_words_and_not_repeated(tmp_path: Path) -> None:
    def fails(number: int, run: RunFolder) -> Over:
        run.write_failure(kind="nan", message="the loss is NaN")
        return ended(number, code=1)

    outcome, _, cluster = drive(tmp_path / "failure", fails)
    assert (outcome.how, outcome.why, len(cluster.tasks)) == ("failed", "the loss is NaN", 1)

    def refuses(number: int, run: RunFolder) -> Over:
        (run.path / "log.txt").write_text("first\nthe disk is full.\n")
        return ended(number, code=1)

    outcome, _, cluster = drive(tmp_path / "log", refuses)
    assert (outcome.how, outcome.why, len(cluster.tasks)) == ("failed", "the disk is full.", 1)

    why = f"{socket.gethostname()} cannot execute it: no such file"
    outcome, _, cluster = drive(
        tmp_path / "machine", lambda number, _: Over(number=number, code=None, why=why, is_lost=False)
    )
    assert (outcome.how, outcome.why, len(cluster.tasks)) == ("failed", why, 1)


def with_code(code: int) -> Callable[[int, RunFolder], Over]:
    return lambda number, _: ended(number, code)


def test_signals_that_kill_a_process_are_named(tmp_path: Path) -> None:
    whys = {signal.SIGKILL: "by SIGKILL (as the system does when memory runs out)", signal.SIGSEGV: "by SIGSEGV"}
    for number, text in whys.items():
        outcome, _, _ = drive(tmp_path / number.name, with_code(-number))
        assert outcome.why == f"its process was killed {text}, 3 times"
    for code in (130, 143, -signal.SIGTERM):
        outcome, _, _ = drive(tmp_path / str(code), with_code(code))
        assert outcome.why == "its process was stopped from outside, 3 times"


def test_a_request_to_stop_cancels_the_tasks(tmp_path: Path) -> None:
    asked: list[signal.Signals] = []

    def fate(_: int, __: RunFolder) -> None:
        asked.append(signal.SIGTERM)

    outcome, events, _ = drive(tmp_path, fate, asked)
    assert (outcome.how, events) == ("stopped", ["stopped"])


def test_no_more_runs_than_places_are_submitted_at_a_time(tmp_path: Path) -> None:
    site, most = site_of(tmp_path), []

    def fate(number: int, run: RunFolder) -> Over:
        most.append(len(cluster.open))
        train(run)
        return ended(number)

    cluster = Cluster(fate)
    driver = Driver(grid(site, "single", "uniform", seeds=2, epochs="1"), site, None, RayOptions(), Events(), ())
    driver.drive(cluster)
    assert {outcome.how for outcome in driver.outcomes} == {"done"}
    assert max(most) == 2


def test_a_cluster_without_a_node_that_is_large_enough_is_an_error_after_the_deadline(tmp_path: Path) -> None:
    site, cluster = site_of(tmp_path), Cluster(lambda _, __: None, alive=2, fit=False)
    driver = Driver(grid(site, "single"), site, None, RayOptions(gpus=1, deadline=1), Events(), ())
    with pytest.raises(RunError, match="no node of the cluster has the 1 CPUs and 1 GPUs of a run, and 2 are alive"):
        driver.drive(cluster)
