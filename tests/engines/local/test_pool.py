"""Runs in processes of their own: what one of them does to itself is nobody else's affair."""

import json
import multiprocessing.forkserver
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from mtbench.engines.engine import Job, Outcome
from mtbench.engines.local.pool import run_all
from mtbench.engines.local.worker import Ended
from mtbench.engines.stop import STOPPING_SIGNALS
from mtbench.store.files.process import started
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import SILENCE, Lease
from mtbench.train.progress import Progress
from tests.waits import wait_until

HERE = Path(__file__).parent
PROGRESS = Progress(epoch=1, epochs=2, step=3, steps=6, loss=0.5, metric="accuracy", score=None)


class Events:
    """A listener that keeps what it is called with, and can do something when a run starts."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self.on_start: Callable[[], None] = lambda: None

    def started(self, job: Job, device: str) -> None:
        self.seen.append((job.title, "started", device))
        self.on_start()

    def advanced(self, job: Job, progress: Progress) -> None:
        self.seen.append((job.title, "advanced", str(progress.epoch)))

    def noted(self, job: Job, text: str) -> None:
        self.seen.append((job.title, "noted", text))

    def ended(self, job: Job, how: str, why: str) -> None:
        self.seen.append((job.title, how, why))

    def refresh(self) -> None:
        pass


def jobs(root: Path, *names: str) -> list[Job]:
    for name in names:
        (root / name).mkdir(exist_ok=True)
    return [Job(folder=root / name, title=name) for name in names]


def ends(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.job.title: outcome.how for outcome in outcomes}


def behave(folder: str, root: str, device: str, pipe: Connection) -> None:  # noqa: ARG001
    """Do what the name of the run says, in place of a worker."""
    path = Path(folder)
    name = path.name.partition("-")[0]
    with (path / "attempts").open("a") as file:
        file.write("x")
    pipe.send(PROGRESS)
    if name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "unlucky" and (path / "attempts").read_text() == "x":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "realtime":
        os.kill(os.getpid(), signal.SIGRTMIN + 6)
    if name == "hung":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        os.kill(os.getpid(), signal.SIGHUP)
    if name == "sleeps" and (path / "attempts").read_text() == "x":
        os.kill(os.getpid(), signal.SIGSTOP)
    if name == "exits":
        os._exit(7)
    if name == "fails":
        pipe.send(Ended(how="failed", why="it is what it is"))
        return
    if name == "slow":
        time.sleep(1)
    if name == "endless":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING_SIGNALS)
        with Lease(path):
            time.sleep(600)
    (path / "record.json").write_text("{}")
    pipe.send(Ended(how="done", why=""))


def test_every_run_is_done_and_reported(tmp_path: Path) -> None:
    events = Events()
    outcomes = run_all(jobs(tmp_path, "a", "b", "c"), root=tmp_path, slots=["cpu"] * 2, listener=events, target=behave)
    assert ends(outcomes) == {"a": "done", "b": "done", "c": "done"}
    for name in "abc":
        assert [what for title, *what in events.seen if title == name] == [
            ["started", "cpu"],
            ["advanced", "1"],
            ["done", ""],
        ]


def test_devices_are_used_in_turn_and_no_more_than_there_are_slots(tmp_path: Path) -> None:
    events = Events()
    names = [f"slow-{n}" for n in range(4)]
    run_all(jobs(tmp_path, *names), root=tmp_path, slots=["cuda:0", "cuda:1"], listener=events, target=behave)
    devices = [detail for _, what, detail in events.seen if what == "started"]
    assert sorted(devices) == ["cuda:0", "cuda:0", "cuda:1", "cuda:1"]
    at_work = 0
    for _, what, _ in events.seen:
        at_work += {"started": 1, "done": -1}.get(what, 0)
        assert at_work <= 2


def test_a_run_whose_process_is_killed_is_tried_three_times_and_harms_no_other(tmp_path: Path) -> None:
    events = Events()
    runs = jobs(tmp_path, "killed", "a", "exits", "b")
    outcomes = run_all(runs, root=tmp_path, slots=["cpu"] * 2, listener=events, target=behave)
    assert ends(outcomes) == {"a": "done", "b": "done", "killed": "failed", "exits": "failed"}
    for name, number in (("killed", signal.SIGKILL), ("exits", None)):
        failure = RunFolder(tmp_path / name).failure()
        assert failure is not None
        assert (failure.kind, failure.attempt, failure.signal) == ("killed", 3, number)
        assert (tmp_path / name / "attempts").read_text() == "xxx"
    assert [what for title, what, _ in events.seen if title == "killed"].count("again") == 2


def test_a_signal_without_a_name_is_reported_by_its_number(tmp_path: Path) -> None:
    runs = jobs(tmp_path, "realtime", "a")
    outcomes = run_all(runs, root=tmp_path, slots=["cpu"], listener=Events(), target=behave)
    assert ends(outcomes) == {"a": "done", "realtime": "failed"}
    failure, number = RunFolder(tmp_path / "realtime").failure(), signal.SIGRTMIN + 6
    assert failure is not None
    assert (failure.message, failure.signal) == (f"its process was killed by signal {number}", number)


def test_a_worker_that_is_hung_up_is_stopped_and_not_failed(tmp_path: Path) -> None:
    outcomes = run_all(jobs(tmp_path, "hung"), root=tmp_path, slots=["cpu"], listener=Events(), target=behave)
    assert ends(outcomes) == {"hung": "stopped"}
    assert RunFolder(tmp_path / "hung").failure() is None


def test_a_worker_that_is_stopped_is_named_once_and_waited_for(tmp_path: Path) -> None:
    events = Events()

    def go_on() -> None:
        wait_until(lambda: any(what == "noted" for _, what, _ in events.seen))
        text = next(text for _, what, text in events.seen if what == "noted")
        time.sleep(3)  # it is not named again
        os.kill(int(text.split()[2]), signal.SIGCONT)

    other = threading.Thread(target=go_on)
    other.start()
    outcomes = run_all(jobs(tmp_path, "sleeps"), root=tmp_path, slots=["cpu"], listener=events, target=behave)
    other.join(300)
    assert ends(outcomes) == {"sleeps": "done"}
    (note,) = [text for _, what, text in events.seen if what == "noted"]
    pid = note.split()[2]
    assert note == (f"its process {pid} is stopped, and is waited for until `kill -CONT {pid}` continues it or it ends")


def test_attempts_are_counted_across_commands(tmp_path: Path) -> None:
    RunFolder(jobs(tmp_path, "killed")[0].folder).write_failure(kind="killed", message="before")
    run_all(jobs(tmp_path, "killed"), root=tmp_path, slots=["cpu"], listener=Events(), target=behave)
    assert (tmp_path / "killed" / "attempts").read_text() == "xx"
    outcomes = run_all(jobs(tmp_path, "killed"), root=tmp_path, slots=["cpu"], listener=Events(), target=behave)
    assert (tmp_path / "killed" / "attempts").read_text() == "xx"
    assert ends(outcomes) == {"killed": "failed"}


def test_a_run_that_is_killed_once_is_done_at_the_second_attempt(tmp_path: Path) -> None:
    outcomes = run_all(jobs(tmp_path, "unlucky"), root=tmp_path, slots=["cpu"], listener=Events(), target=behave)
    assert ends(outcomes) == {"unlucky": "done"}
    failure = RunFolder(tmp_path / "unlucky").failure()
    assert failure is not None
    assert failure.message == "its process was killed by SIGSEGV"


def test_a_run_that_fails_is_not_tried_again(tmp_path: Path) -> None:
    outcomes = run_all(jobs(tmp_path, "fails"), root=tmp_path, slots=["cpu"], listener=Events(), target=behave)
    assert [(outcome.how, outcome.why) for outcome in outcomes] == [("failed", "it is what it is")]


def test_a_run_of_another_process_is_waited_for(tmp_path: Path) -> None:
    events, runs = Events(), jobs(tmp_path, "a", "b")
    lease = Lease(tmp_path / "a").__enter__()

    def finish() -> None:
        (tmp_path / "a" / "record.json").write_text("{}")
        lease.__exit__(None, None, None)

    other = threading.Timer(3, finish)
    other.start()
    outcomes = run_all(runs, root=tmp_path, slots=["cpu"], listener=events, target=behave)
    other.join(300)
    assert [outcome.job.title for outcome in outcomes] == ["b", "a"]
    (why,) = [why for title, what, why in events.seen if (title, what) == ("a", "busy")]
    assert re.fullmatch(rf"process {os.getpid()} on \S+ has it since [-0-9: ]+, until that process ends", why)
    assert not (tmp_path / "a" / "attempts").exists()


def test_a_run_of_another_host_is_taken_over_at_the_time_that_was_said(tmp_path: Path) -> None:
    (run,), events = jobs(tmp_path, "a"), Events()
    lease = run.folder / "claim.1"
    lease.write_text(json.dumps({"host": "elsewhere 1 2", "pid": 1, "started": "1", "token": "x"}))
    last = time.time() - SILENCE + 5  # its heart beats no more
    os.utime(lease, (last, last))
    outcomes = run_all([run], root=tmp_path, slots=["cpu"], listener=events, target=behave)
    end = time.time()
    assert ends(outcomes) == {"a": "done"}
    whys = [why for _, what, why in events.seen if what == "busy"]
    said = whys[0].rpartition(" at ")[2]
    assert whys[0].startswith("process 1 on elsewhere has it; its last heartbeat was at ")
    assert abs(datetime.fromisoformat(said).timestamp() - (last + SILENCE)) <= 1
    assert end > last + SILENCE


def test_a_run_that_another_process_gives_up_is_taken_up(tmp_path: Path) -> None:
    runs, lease = jobs(tmp_path, "a"), Lease(tmp_path / "a").__enter__()
    other = threading.Timer(2, lease.__exit__, (None, None, None))
    other.start()
    outcomes = run_all(runs, root=tmp_path, slots=["cpu"], listener=Events(), target=behave)
    other.join(300)
    assert ends(outcomes) == {"a": "done"}
    assert (tmp_path / "a" / "attempts").read_text() == "x"


def test_the_death_of_the_fork_server_costs_nothing(tmp_path: Path) -> None:
    events, killed = Events(), list[int]()

    def kill_the_server() -> None:
        if not killed:
            killed.append(multiprocessing.forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]
            os.kill(killed[0], signal.SIGKILL)

    events.on_start = kill_the_server
    runs = jobs(tmp_path, "slow-1", "slow-2", "slow-3")
    outcomes = run_all(runs, root=tmp_path, slots=["cpu"] * 2, listener=events, target=behave)
    assert killed
    assert ends(outcomes) == dict.fromkeys(("slow-1", "slow-2", "slow-3"), "done")


PARENT = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from test_pool import Events, behave, jobs
from mtbench.engines.local.pool import run_all
from mtbench.errors import Stopped
if __name__ == "__main__":
    root = Path(sys.argv[1])
    try:
        run_all(jobs(root, "endless"), root=root, slots=["cpu"], listener=Events(), target=behave)
    except Stopped as cause:
        print(cause)
"""


def parent_with_a_worker(root: Path) -> tuple[subprocess.Popen[str], int]:
    script = root / "parent.py"
    script.write_text(PARENT.format(paths=[str(HERE), str(HERE.parents[2])]))
    command = [sys.executable, str(script), str(root)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    lease = root / "endless" / "claim.1"
    wait_until(lambda: lease.exists() and lease.read_text())
    return parent, int(lease.read_text().partition('"pid": ')[2].partition(",")[0])


def wait_for_the_end_of(pid: int) -> None:
    wait_until(lambda: started(pid) is None)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    parent, worker = parent_with_a_worker(tmp_path)
    assert started(worker) is not None
    parent.kill()
    parent.wait(timeout=300)
    wait_for_the_end_of(worker)
    assert parent.stdout is not None
    parent.stdout.close()


def test_ctrl_c_stops_the_workers_and_says_how_to_go_on(tmp_path: Path) -> None:
    parent, worker = parent_with_a_worker(tmp_path)
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: to the whole group
    said = parent.communicate(timeout=300)[0]
    assert said == "stopped by SIGINT. The same command resumes it.\n"
    wait_for_the_end_of(worker)
    assert RunFolder(tmp_path / "endless").failure() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_requests_stop_the_workers_too(number: signal.Signals, tmp_path: Path) -> None:
    parent, worker = parent_with_a_worker(tmp_path)
    os.killpg(parent.pid, number)  # as the end of a terminal does: to the whole group
    assert parent.communicate(timeout=300)[0] == f"stopped by {number.name}. The same command resumes it.\n"
    wait_for_the_end_of(worker)
    assert RunFolder(tmp_path / "endless").failure() is None
