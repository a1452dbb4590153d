"""At most one live process works on a run, and the dead stand in nobody's way."""

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mtbench.errors import Busy, StoreError
from mtbench.store.files.process import is_stopped, started
from mtbench.store.run.lease import GRACE, SILENCE, Lease, holder_of, is_leased
from tests.waits import wait_until

HOLD = (
    "import sys, time; from pathlib import Path; from mtbench.store.run.lease import Lease\n"
    "with Lease(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(600)\n"
)


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.stdout.close()
    return process


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds, time.time() - seconds))


def foreign(folder: Path, number: int, silent: float) -> Path:
    """Return a lease made on another host, whose heart last beat so many seconds ago."""
    path = folder / f"claim.{number}"
    path.write_text(json.dumps({"host": "elsewhere 1 2", "pid": 1, "started": "1", "token": "x"}))
    age(path, silent)
    return path


def test_a_lease_is_there_while_its_block_lasts(tmp_path: Path) -> None:
    assert not is_leased(tmp_path)
    with Lease(tmp_path) as lease:
        assert is_leased(tmp_path)
        lease.check()
    assert os.listdir(tmp_path) == []


def test_a_second_lease_is_refused_and_names_the_process(tmp_path: Path) -> None:
    with (
        Lease(tmp_path),
        pytest.raises(Busy, match=rf"^the run in {tmp_path} is taken: process {os.getpid()} on "),
        Lease(tmp_path),
    ):
        pass


def test_a_lease_is_released_by_an_exception(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Lease(tmp_path):
        raise RuntimeError
    assert not is_leased(tmp_path)


def test_the_lease_of_a_killed_process_is_taken_over_at_once(tmp_path: Path) -> None:
    process = holder(tmp_path)
    assert is_leased(tmp_path)
    process.kill()
    # Not waited for: a process that is dead and not yet buried counts as dead.
    wait_until(lambda: started(process.pid) is None)
    with Lease(tmp_path) as lease:
        lease.check()
        assert os.listdir(tmp_path) == ["claim.2"]
    process.wait(300)


def clock(seconds: float) -> str:
    """Return the time so many seconds after the epoch, as messages have it."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def test_a_process_of_this_host_that_lives_keeps_its_lease_however_long_its_heart_was_silent(tmp_path: Path) -> None:
    with Lease(tmp_path) as lease:  # as after this machine was suspended, when the heart has not beaten again yet
        age(lease.path, 10 * SILENCE)
        assert is_leased(tmp_path)
        lease.check()


def test_a_stopped_process_loses_its_lease_when_it_was_silent_for_long_and_notices_when_it_goes_on(
    tmp_path: Path,
) -> None:
    process = holder(tmp_path)
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: is_stopped(process.pid))
    last = time.time() - SILENCE / 2
    os.utime(tmp_path / "claim.1", (last, last))
    who = f"process {process.pid} on .*, which is stopped \\(`kill -CONT {process.pid}` continues it\\), has it since "
    with pytest.raises(Busy, match=rf"{who}.*; its last heartbeat was at {clock(last)}, .* at {clock(last + SILENCE)}"):
        Lease(tmp_path).__enter__()
    age(tmp_path / "claim.1", SILENCE + 1)
    assert not is_leased(tmp_path)
    with Lease(tmp_path) as lease:
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: not is_stopped(process.pid))
        lease.check()
        assert os.listdir(tmp_path) == ["claim.2"]
    process.kill()
    process.wait(300)


def test_a_process_number_that_is_used_again_is_another_process(tmp_path: Path) -> None:
    with Lease(tmp_path):
        text = (tmp_path / "claim.1").read_text()
    owner = json.loads(text) | {"started": "1"}
    (tmp_path / "claim.1").write_text(json.dumps(owner))
    assert not is_leased(tmp_path)


def test_a_lease_of_another_host_lives_by_its_heartbeat(tmp_path: Path) -> None:
    path = foreign(tmp_path, 1, SILENCE / 2)
    assert is_leased(tmp_path)
    age(path, SILENCE + 1)
    assert not is_leased(tmp_path)
    with Lease(tmp_path) as lease:
        assert lease.path.name == "claim.2"


def test_who_waits_for_another_host_is_told_for_whom_since_when_and_until_when(tmp_path: Path) -> None:
    last = time.time() - 30
    path = foreign(tmp_path, 1, 30)
    os.utime(path, (last, last))
    found = holder_of(tmp_path)
    assert str(found) == (
        f"process 1 on elsewhere has it; its last heartbeat was at {clock(last)}, "
        f"and without another it is taken over at {clock(last + SILENCE)}"
    )
    owner = json.loads(path.read_text()) | {"token": "2026-11-30T12:00:00+00:00 x"}
    path.write_text(json.dumps(owner))
    began = clock(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())
    assert str(holder_of(tmp_path)).startswith(f"process 1 on elsewhere has it since {began}; its last ")
    age(path, SILENCE + 1)
    assert holder_of(tmp_path) is None


def test_a_living_process_of_this_host_is_waited_for_until_it_ends(tmp_path: Path) -> None:
    before = time.time()
    with Lease(tmp_path):
        found = holder_of(tmp_path)
    assert found is not None
    assert found.since is not None
    assert before - 1 < found.since.timestamp() < time.time() + 1
    host = platform.node()
    since = clock(found.since.timestamp())
    assert str(found) == f"process {os.getpid()} on {host} has it since {since}, until that process ends"


def test_a_lease_with_its_time_in_the_future_dies_like_any_other(tmp_path: Path) -> None:
    path = foreign(tmp_path, 1, -30 * 86400)
    assert is_leased(tmp_path)
    assert abs(path.stat().st_mtime - time.time()) < 60  # its time is now that of the check
    age(path, SILENCE + 1)
    assert not is_leased(tmp_path)


def test_an_owner_whose_folder_was_removed_is_told_so(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with Lease(folder) as lease:
        shutil.rmtree(folder)
        with pytest.raises(StoreError, match=rf"^{folder} was removed while .* The same command starts the run again"):
            lease.check()


def test_an_owner_who_was_taken_over_is_told_so(tmp_path: Path) -> None:
    with Lease(tmp_path) as lease:
        foreign(tmp_path, 2, 0)
        with pytest.raises(Busy):
            lease.check()


def test_an_owner_leaves_the_lease_of_its_successor_alone(tmp_path: Path) -> None:
    with Lease(tmp_path) as lease:
        lease.path.unlink()
        successor = foreign(tmp_path, 1, 0)
        with pytest.raises(Busy):
            lease.check()
    assert successor.exists()


@pytest.mark.parametrize("text", ["", '{"host": "el', "[]", '{"host": 1}'])
def test_a_torn_lease_is_respected_while_it_is_young_and_taken_over_when_it_is_not(tmp_path: Path, text: str) -> None:
    path = tmp_path / "claim.1"
    path.write_text(text)
    assert is_leased(tmp_path)
    with pytest.raises(Busy, match="a process whose name cannot be read has it; "), Lease(tmp_path):
        pass
    age(path, GRACE + 1)
    assert not is_leased(tmp_path)
    with Lease(tmp_path):
        assert is_leased(tmp_path)


def test_of_many_processes_that_want_a_dead_lease_one_gets_it(tmp_path: Path) -> None:
    foreign(tmp_path, 1, SILENCE + 1)
    code = (
        "import sys, time; from pathlib import Path; from mtbench.errors import Busy\n"
        "from mtbench.store.run.lease import Lease\n"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()))\n"
        "try:\n    with Lease(Path(sys.argv[1])) as lease:\n"
        "        time.sleep(2); lease.check(); print('mine')\n"
        "except Busy:\n    print('busy')\n"
    )
    start = str(time.time() + 2)
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), start], stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    answers = [run.communicate(timeout=300)[0].strip() for run in runs]
    assert sorted(answers) == ["busy"] * 5 + ["mine"]
    assert os.listdir(tmp_path) == []


def test_looking_at_a_lease_leaves_nothing_behind(tmp_path: Path) -> None:
    foreign(tmp_path, 1, 0)
    is_leased(tmp_path)
    assert os.listdir(tmp_path) == ["claim.1"]


def test_a_folder_that_is_not_there_is_not_leaseed(tmp_path: Path) -> None:
    assert not is_leased(tmp_path / "nothing")


def test_the_readme_says_how_long_a_takeover_takes() -> None:
    readme = " ".join((Path(__file__).parents[3] / "README.md").read_text().split())
    assert f"up to {SILENCE:g} s without a heartbeat" in readme
