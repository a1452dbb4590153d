"""At most one live process works on a run, and the dead stand in nobody's way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mtbench.errors import Busy
from mtbench.store.lease import GRACE, SILENCE, Lease, is_leased, started
from tests.waits import wait_until

HOLD = (
    "import sys, time; from pathlib import Path; from mtbench.store.lease import Lease\n"
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
        pytest.raises(Busy, match=rf"^process {os.getpid()} on .* is working on the run in {tmp_path}"),
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


def test_a_sleeping_process_of_this_host_keeps_its_lease(tmp_path: Path) -> None:
    process = holder(tmp_path)
    process.send_signal(signal.SIGSTOP)
    age(tmp_path / "claim.1", 10 * SILENCE)
    assert is_leased(tmp_path)
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
    with pytest.raises(Busy, match="another process"), Lease(tmp_path):
        pass
    age(path, GRACE + 1)
    assert not is_leased(tmp_path)
    with Lease(tmp_path):
        assert is_leased(tmp_path)


def test_of_many_processes_that_want_a_dead_lease_one_gets_it(tmp_path: Path) -> None:
    foreign(tmp_path, 1, SILENCE + 1)
    code = (
        "import sys, time; from pathlib import Path; from mtbench.errors import Busy\n"
        "from mtbench.store.lease import Lease\n"
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
