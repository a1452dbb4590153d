"""A run that is asked to stop stops, wherever it is; that is never a failure, and its checkpoint stays."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from mtbench import registry
from mtbench.engines.engine import Job
from mtbench.engines.local.pool import run_all
from mtbench.engines.local.processes import spawn
from mtbench.engines.local.worker import Ended, work
from mtbench.engines.stop import EXIT_CODE
from mtbench.plan.grid import Request, plan
from mtbench.store.run.checkpoint import ASIDE, CHECKPOINT, pack, unpack
from mtbench.store.run.folder import RunFolder
from tests.engines.local.test_pool import Events
from tests.waits import DEADLINE, wait_until

STOPPED = "the run was stopped. The same command resumes it from its last checkpoint."


class Parts:
    """The slow parts, copied to a folder of their own and installed from there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "slow_parts"
        shutil.copytree(Path(__file__).with_name("plugins"), folder, dirs_exist_ok=True)

    def linger(self, stage: str, how: str = "sleep") -> None:
        """Let a stage take long from now on."""
        self.hurry()
        (self.folder / "linger.json").write_text(json.dumps({"stage": stage, "how": how}))

    def release(self) -> None:
        """Let what takes long end."""
        (self.folder / "go").touch()

    def hurry(self) -> None:
        """Let no stage take long from now on."""
        for name in ("linger.json", "there", "go"):
            (self.folder / name).unlink(missing_ok=True)

    @property
    def are_lingering(self) -> bool:
        return (self.folder / "there").exists()


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    folder = tmp_path_factory.mktemp("plugins")
    found = Parts(folder)
    sys.path.insert(0, str(folder))
    registry.entries.cache_clear()
    yield found
    sys.path.remove(str(folder))
    registry.entries.cache_clear()


def planned(folder: Path, *, epochs: int = 4, megabytes: int = 0) -> RunFolder:
    run = RunFolder(folder)
    method = f"slow-network:megabytes={megabytes}+slow-solver"
    request = Request(methods=[method], datasets=["slow-data"], settings={"epochs": str(epochs)}, seeds=[0])
    run.write_spec(plan(request)[0])
    return run


def begin(run: RunFolder) -> tuple[ForkServerProcess, Connection]:
    return spawn(work, str(run.path), str(run.path), "cpu")


def terminate(process: ForkServerProcess) -> None:
    assert process.pid is not None
    with suppress(ProcessLookupError):  # it has finished its run already
        os.kill(process.pid, signal.SIGTERM)


def stop_inside(process: ForkServerProcess, parts: Parts) -> None:
    """Send SIGTERM to a worker while a part of its run takes long."""
    wait_until(lambda: parts.are_lingering)
    terminate(process)
    time.sleep(0.1)
    parts.release()


def messages(process: ForkServerProcess, pipe: Connection) -> list[object]:
    """Return the messages of a worker, once it has ended."""
    found = []
    try:
        while pipe.poll(DEADLINE):
            found.append(pipe.recv())
    except EOFError:
        pass
    process.join(DEADLINE)
    pipe.close()
    return found


def last_message(process: ForkServerProcess, pipe: Connection) -> Ended | None:
    """Return the last message of a worker, once it has ended; None if that is not its end."""
    found = messages(process, pipe)
    return found[-1] if found and isinstance(found[-1], Ended) else None


def finish(run: RunFolder) -> Any:
    """Finish a run, and return the part of its record that must be the same bits."""
    assert last_message(*begin(run)) == Ended(how="done", why="")
    return come_to(run)


def come_to(run: RunFolder) -> Any:
    """Return the part of a finished run's record that must be the same bits."""
    assert run.failure() is None
    record = run.record()
    assert record is not None
    return record.results, record.curve, record.files


@pytest.fixture(scope="module")
def expected(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The results of a run that nothing disturbed."""
    parts.hurry()
    return finish(planned(tmp_path_factory.mktemp("undisturbed")))


@pytest.fixture(scope="module")
def half_done(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was stopped after its first epoch."""
    run = planned(tmp_path_factory.mktemp("half") / "done")
    parts.linger("evaluation")
    process, pipe = begin(run)
    stop_inside(process, parts)
    assert last_message(process, pipe) == Ended(how="stopped", why=STOPPED)
    assert sorted(os.listdir(run.path)) == ["attempts.jsonl", CHECKPOINT, "curve.jsonl", "spec.json"]
    assert 1 <= len((run.path / "curve.jsonl").read_text().splitlines()) < 4
    return run.path


@pytest.fixture
def half(half_done: Path, parts: Parts, tmp_path: Path) -> RunFolder:
    """A copy of the run that was stopped, while no part of it takes long."""
    parts.hurry()
    return RunFolder(shutil.copytree(half_done, tmp_path / "half"))


def is_untouched(run: RunFolder, checkpoint: bytes) -> bool:
    left = sorted(os.listdir(run.path)) == ["attempts.jsonl", CHECKPOINT, "curve.jsonl", "spec.json"]
    return left and (run.path / CHECKPOINT).read_bytes() == checkpoint


@pytest.mark.parametrize(
    ("stage", "how"),
    [("loading", "sleep"), ("data", "sleep"), ("solver", "solve"), ("evaluation", "sleep"), ("solver", "fail")],
)
def test_a_stop_inside_a_part_is_no_failure_and_the_run_is_resumed_to_the_same_bits(
    stage: str, how: str, half: RunFolder, parts: Parts, expected: Any
) -> None:
    before = (half.path / CHECKPOINT).read_bytes()
    parts.linger(stage, how)
    process, pipe = begin(half)
    stop_inside(process, parts)
    assert last_message(process, pipe) == Ended(how="stopped", why=STOPPED)
    if stage == "evaluation":  # of the second epoch, after which its state was kept
        assert half.failure() is None
    else:
        assert is_untouched(half, before)
    parts.hurry()
    assert finish(half) == expected


def test_a_stop_before_the_first_line_of_a_worker_is_no_failure(half: RunFolder, expected: Any) -> None:
    before = (half.path / CHECKPOINT).read_bytes()
    process, pipe = begin(half)
    terminate(process)  # a few milliseconds after the fork
    assert last_message(process, pipe) == Ended(how="stopped", why=STOPPED)
    assert is_untouched(half, before)
    assert finish(half) == expected


def test_a_stop_while_the_checkpoint_is_read_is_no_failure(half: RunFolder, expected: Any) -> None:
    """A named pipe stands for a disk that is slow: whoever reads the checkpoint waits for who writes it."""
    path = half.path / CHECKPOINT
    before = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    process, pipe = begin(half)
    with path.open("wb") as file:  # returns once the worker has opened the other end
        terminate(process)
        file.write(before)
    assert last_message(process, pipe) == Ended(how="stopped", why=STOPPED)
    assert half.failure() is None
    assert not any((half.path / name).exists() for name in ASIDE)
    path.unlink()
    path.write_bytes(before)
    assert is_untouched(half, before)
    assert finish(half) == expected


def test_a_second_signal_ends_the_process_at_once_and_that_is_no_failure(
    half: RunFolder, parts: Parts, expected: Any
) -> None:
    before = (half.path / CHECKPOINT).read_bytes()
    parts.linger("solver")
    process, pipe = begin(half)
    wait_until(lambda: parts.are_lingering)

    def has_ended() -> bool:
        terminate(process)  # again and again, for two signals that are sent before the first is taken are one
        process.join(0.05)
        return not process.is_alive()

    wait_until(has_ended)
    assert last_message(process, pipe) is None
    assert process.exitcode == EXIT_CODE
    assert half.failure() is None
    assert (half.path / CHECKPOINT).read_bytes() == before
    parts.hurry()
    assert finish(half) == expected


def test_a_run_out_of_memory_harms_no_other_and_is_tried_again_by_the_next_command_and_not_at_once(
    half: RunFolder, parts: Parts, expected: Any
) -> None:
    parts.linger("solver", "memory")
    other = RunFolder(half.path.with_name("other"))
    other.write_spec(plan(Request(methods=["uniform"], datasets=["toy-all"], settings={"epochs": "1"}, seeds=[0]))[0])
    events = Events()
    jobs = [Job(folder=half.path, title="a"), Job(folder=other.path, title="b")]
    outcomes = run_all(jobs, root=half.path, slots=["cpu"], listener=events)
    assert {outcome.job.title: outcome.how for outcome in outcomes} == {"a": "failed", "b": "done"}
    failure = half.failure()
    assert failure is not None
    assert (failure.kind, failure.attempt, failure.is_retryable) == ("memory", 1, True)
    assert "can't allocate memory" in failure.message
    assert [what for title, what, _ in events.seen if title == "a" and what != "advanced"] == ["started", "failed"]
    parts.hurry()
    assert finish(half) == expected


def test_a_damaged_checkpoint_is_said_kept_aside_and_the_run_starts_again_to_the_same_bits(
    half: RunFolder, expected: Any
) -> None:
    path = half.path / CHECKPOINT
    damaged = path.read_bytes()[:-1000] + bytes(1000)
    path.write_bytes(damaged)
    events = Events()
    outcomes = run_all([Job(folder=half.path, title="a")], root=half.path, slots=["cpu"], listener=events)
    assert [outcome.how for outcome in outcomes] == ["done"]
    told = "The checkpoint cannot be used: its content does not match its checksum."
    told += f" It is kept as {ASIDE[0]}; the run starts again."
    assert [text for _, what, text in events.seen if what == "noted"] == [told]
    assert (half.path / ASIDE[0]).read_bytes() == damaged
    assert come_to(half) == expected


def test_a_state_that_does_not_fit_the_network_is_said_kept_aside_and_the_run_starts_again_to_the_same_bits(
    half: RunFolder, expected: Any
) -> None:
    path = half.path / CHECKPOINT
    kept = unpack(path.read_bytes())
    name = next(name for name, value in kept.state["network"].items() if value.numel() > 1)
    kept.state["network"][name] = kept.state["network"][name][:1] + 1
    path.write_bytes(pack(kept))
    events = Events()
    outcomes = run_all([Job(folder=half.path, title="a")], root=half.path, slots=["cpu"], listener=events)
    assert [outcome.how for outcome in outcomes] == ["done"]
    (told,) = [text for _, what, text in events.seen if what == "noted"]
    assert told.startswith("The checkpoint cannot be used: its state does not fit the run: RuntimeError: Error(s) in ")
    assert told.endswith(f"It is kept as {ASIDE[0]}; the run starts again.")
    assert come_to(half) == expected


@pytest.mark.slow
def test_ten_seconds_after_the_signal_the_process_ends_and_that_is_no_failure(half: RunFolder, parts: Parts) -> None:
    before = (half.path / CHECKPOINT).read_bytes()
    parts.linger("solver")
    events = Events()
    events.on_start = lambda: threading.Thread(target=stop_the_owner, args=(half, parts)).start()
    outcomes = run_all([Job(folder=half.path, title="a")], root=half.path, slots=["cpu"], listener=events)
    assert [(outcome.how, outcome.why) for outcome in outcomes] == [("stopped", "its process was stopped")]
    assert half.failure() is None
    assert (half.path / CHECKPOINT).read_bytes() == before


def stop_the_owner(run: RunFolder, parts: Parts) -> None:
    wait_until(lambda: parts.are_lingering)
    (lease,) = run.path.glob("claim.*")
    os.kill(json.loads(lease.read_text())["pid"], signal.SIGTERM)


PARENT = """
import sys
from pathlib import Path
from mtbench.engines.screen.display import Silence
from mtbench.engines.engine import Job
from mtbench.engines.local.pool import run_all
from mtbench.errors import Stopped
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    try:
        run_all([Job(folder=folder, title="a")], root=folder, slots=["cpu"], listener=Silence())
    except Stopped as cause:
        print(cause)
"""


@pytest.mark.slow
def test_a_run_inside_code_that_never_lets_go_of_the_global_lock_is_killed_by_the_pool_and_that_is_no_failure(
    half: RunFolder, parts: Parts, expected: Any
) -> None:
    before = (half.path / CHECKPOINT).read_bytes()
    parts.linger("solver", "lock")
    script = half.path.with_name("parent.py")
    script.write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(script), str(half.path)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    wait_until(lambda: parts.are_lingering)
    parent.terminate()
    assert parent.communicate(timeout=DEADLINE)[0].startswith("stopped by SIGTERM.")
    wait_until(lambda: not half.is_leased)
    assert half.failure() is None
    assert (half.path / CHECKPOINT).read_bytes() == before
    parts.hurry()
    assert finish(half) == expected


@pytest.mark.slow
@pytest.mark.parametrize(("megabytes", "epochs"), [(0, 60), (80, 6)])
def test_runs_that_are_stopped_at_random_moments_never_fail_and_come_to_the_same_bits(
    megabytes: int, epochs: int, parts: Parts, tmp_path: Path
) -> None:
    """A small model is stopped up to 3 s after its worker's start. A large one has a checkpoint, and is stopped up to
    1 s after the worker took the lease, most of which goes into reading it. MTBENCH_STOPS is the number of stops.
    """
    parts.hurry()
    expected = finish(planned(tmp_path / "undisturbed", epochs=epochs, megabytes=megabytes))
    draw, wanted, ends, runs = random.Random(megabytes), int(os.environ.get("MTBENCH_STOPS", "6")), Counter[str](), 0
    failures, equal, run = 0, 0, planned(tmp_path / "0", epochs=epochs, megabytes=megabytes)
    while ends.total() < wanted:
        process, pipe = begin(run)
        if megabytes and not run.has_checkpoint:
            wait_until(lambda: run.has_checkpoint)  # noqa: B023
        elif megabytes:
            wait_until(lambda: run.is_leased)  # noqa: B023
            time.sleep(draw.uniform(0, 1))
        else:
            time.sleep(draw.uniform(0, 3))
        terminate(process)
        found = messages(process, pipe)
        last = found[-1] if found else None  # where the limit of ten seconds has ended it there may be no message
        how = last.how if isinstance(last, Ended) else f"exit code {process.exitcode}"
        ends[f"{how} {'after' if len(found) > isinstance(last, Ended) else 'before'} the first step"] += 1
        failures += run.failure() is not None
        if ends.total() == wanted or run.has_record or draw.random() < 0.1:
            runs, equal = runs + 1, equal + ((come_to(run) if run.has_record else finish(run)) == expected)
            run = planned(tmp_path / str(runs), epochs=epochs, megabytes=megabytes)
    print(f"{megabytes} MB: {dict(ends)}, {failures} failures; {runs} runs finished, {equal} equal")  # noqa: T201
    assert failures == 0
    assert equal == runs


def test_processes_that_are_forked_by_a_run_end_by_sigterm() -> None:
    code = (
        "import multiprocessing, time\nfrom mtbench.engines.stop import stop_on_sigterm\nstop = stop_on_sigterm()\n"
        "process = multiprocessing.get_context('fork').Process(target=time.sleep, args=(3600,))\n"
        "process.start(); process.terminate(); process.join()\nprint(process.exitcode, stop.requested)\n"
    )
    output = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=DEADLINE)
    assert output == f"-{signal.SIGTERM} False\n"


def test_signals_that_a_parent_has_blocked_stop_a_command_all_the_same() -> None:
    code = (
        "import os, signal, time\nfrom mtbench.engines.stop import STOPPING_SIGNALS, interrupts\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING_SIGNALS)\n"
        "mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())\n"
        "for number in STOPPING_SIGNALS:\n"
        "    with interrupts() as asked:\n        os.kill(os.getpid(), number)\n        print(asked == [number])\n"
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask)\n"
    )
    output = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=DEADLINE)
    assert output == "True\nTrue\nTrue\n"
