"""Files that killed processes left in the data root are removed, and those of living processes stay."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from mtbench.store.preparation import LOCK, preparing
from mtbench_datasets.files import write_atomically

KILLED = """
import os, signal, sys
from pathlib import Path
from mtbench.store.preparation import preparing
from mtbench_datasets import files

files.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with preparing(Path(sys.argv[1])):
    files.write_atomically(Path(sys.argv[1]) / "mnist" / "images", bytes(100_000))
"""
HOLD = """
import sys
from pathlib import Path
from mtbench.store.preparation import preparing

with preparing(Path(sys.argv[1])):
    print("there", flush=True)
    sys.stdin.read()
"""


def kill_a_writer(root: Path) -> Path:
    """Return what a process leaves that is killed before its file takes its place."""
    done = subprocess.run([sys.executable, "-c", KILLED, root], check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL
    (litter,) = (path for path in (root / "mnist").iterdir() if path.name.startswith(".images."))
    assert litter.stat().st_size == 100_000
    return litter


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_what_a_killed_process_left_is_removed_before_data_are_prepared_again(tmp_path: Path) -> None:
    with preparing(tmp_path):
        write_atomically(tmp_path / "mnist" / "labels", b"whole")
    kill_a_writer(tmp_path)
    with preparing(tmp_path):
        write_atomically(tmp_path / "mnist" / "images", b"whole")
    assert names(tmp_path) == {"mnist/images", "mnist/labels", LOCK}


def test_it_is_removed_if_the_folder_has_never_been_swept(tmp_path: Path) -> None:
    (tmp_path / f".images.{'0' * 32}").write_text("of a version without a lock")
    with preparing(tmp_path):
        pass
    assert names(tmp_path) == {LOCK}


def test_nothing_is_removed_while_another_process_prepares_data(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "there\n"
        litter = kill_a_writer(tmp_path)
        with preparing(tmp_path):
            assert litter.exists()
        other.communicate("", timeout=300)
    with preparing(tmp_path):  # the mark of the killed process is still there
        assert not litter.exists()


def test_a_file_that_a_process_has_open_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / f".images.{'1' * 32}"
    with path.open("w"), preparing(tmp_path):
        assert path.exists()
    (tmp_path / LOCK).unlink()
    with preparing(tmp_path):
        assert not path.exists()


def test_a_folder_that_is_missing_or_read_only_is_left_as_it_is(tmp_path: Path) -> None:
    with preparing(tmp_path / "nowhere"):
        pass
    with preparing(Path("/proc")):
        pass
    assert os.listdir(tmp_path) == []
