"""Files are there whole or not at all."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mtbench.errors import StoreError
from mtbench.plan.grid import Request, plan
from mtbench.report.write import write_shown
from mtbench.store.files.atomic import make_folder, sweep, temporary_name, write_bytes, write_text, writing
from mtbench.store.results import mark_results
from mtbench.store.run.folder import RunFolder
from tests.waits import wait_until


def test_a_written_file_holds_what_was_written(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "été")
    assert (tmp_path / "a.json").read_bytes() == "été".encode()
    write_bytes(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.json"]


def fail_halfway(path: Path) -> None:
    with writing(path) as file:
        file.write(b"ne")
        raise RuntimeError("halfway")


def fill_the_disk(path: Path) -> None:
    with writing(path), Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"data")


def test_a_write_that_fails_halfway_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "old")
    with pytest.raises(RuntimeError, match="halfway"):
        fail_halfway(tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_reader_never_sees_a_torn_file_while_its_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    code = (
        "import sys; from pathlib import Path; from mtbench.store.files.atomic import write_bytes\n"
        "n = 0\nwhile True:\n    n += 1; write_bytes(Path(sys.argv[1]), bytes([n % 256]) * 300_000)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)])
    wait_until(path.exists)
    for _ in range(200):
        data = path.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1
    writer.kill()
    writer.wait(300)
    assert len(set(path.read_bytes())) == 1


KILLED = (
    "import os, signal, sys; from pathlib import Path; from mtbench.store.files.atomic import writing\n"
    "with writing(Path(sys.argv[1])) as file:\n"
    "    file.write(bytes(100_000)); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
)


def test_what_a_killed_process_has_begun_is_swept_at_once_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "a.bin"], check=False, timeout=300)
    (litter,) = tmp_path.iterdir()
    assert litter.stat().st_size == 100_000
    with writing(tmp_path / "b.bin") as file:
        (mine,) = set(tmp_path.iterdir()) - {litter}
        os.utime(mine, (0, 0))  # however old it is
        make_folder(tmp_path)
        assert list(tmp_path.iterdir()) == [mine]
        file.write(b"whole")
    assert (tmp_path / "b.bin").read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["b.bin"]


def test_killed_writers_leave_nothing_in_any_folder_that_a_command_writes_to_again(tmp_path: Path) -> None:
    spec = plan(Request(methods=["uniform"], datasets=["toy-all"], settings={"epochs": "1"}, seeds=[0]))[0]
    results, reports = tmp_path / "results", tmp_path / "reports"
    run = RunFolder(results / spec.folder)
    mark_results(results)
    run.write_spec(spec)
    (run.path / "record.json").write_text("{}")
    reports.mkdir()
    for path in (results / "mark", run.path / "model.safetensors", reports / "table.md", tmp_path / "speeds.json"):
        subprocess.run([sys.executable, "-c", KILLED, path], check=False, timeout=300)
        assert len(list(path.parent.glob(".*.tmp"))) == 1
    mark_results(results)
    run.write_spec(spec)  # as each command does for each of its runs, finished ones included
    write_shown([], reports)
    make_folder(tmp_path)
    assert not list(tmp_path.rglob(".*"))


def test_leftovers_of_other_hosts_are_swept_if_they_are_of_files_that_one_owns_or_a_day_old(tmp_path: Path) -> None:
    def leftover(name: str, hours: float, rest: str = f"{'0' * 12}-123-{'0' * 8}-{'0' * 8}") -> Path:
        path = tmp_path / f".{name}.{rest}.tmp"
        path.write_text("half")
        os.utime(path, (time.time() - hours * 3600, time.time() - hours * 3600))
        return path

    mine, young, old = leftover("record.json", 0), leftover("spec.json", 23), leftover("curve.jsonl", 25)
    earlier = leftover("spec.json", 25, f"123-{'0' * 32}")  # of a version that did not name its process
    foreign = tmp_path / ".somebody-elses.tmp"
    foreign.write_text("")
    sweep(tmp_path, {"record.json"})
    assert not mine.exists()
    assert young.exists()
    assert not old.exists()
    assert not earlier.exists()
    assert foreign.exists()


def test_a_process_number_that_is_used_again_keeps_no_litter(tmp_path: Path) -> None:
    name = temporary_name(tmp_path / "a").name
    other = name.replace(name.split("-")[2], "0" * 8)
    (tmp_path / name).write_text("mine")
    (tmp_path / other).write_text("of an earlier process of that number")
    sweep(tmp_path)
    assert os.listdir(tmp_path) == [name]


def test_a_full_disk_is_told_with_the_path_and_the_mend(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        fill_the_disk(tmp_path / "never")
    assert str(caught.value) == (
        f"{tmp_path}/never cannot be written: No space left on device. "
        "The disk is full: free some space; the same command then resumes."
    )


def test_a_folder_without_permission_is_told_with_the_path_and_the_mend(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may write everywhere, nobody may not
    try:
        with pytest.raises(StoreError) as error:
            write_text(tmp_path / "a.json", "text")
    finally:
        os.seteuid(user)
    assert str(error.value) == (
        f"{tmp_path}/a.json cannot be written: Permission denied. "
        "Make it writable for you, or give another folder with --results or --out."
    )


def test_a_read_only_file_system_is_told_with_the_path_and_the_mend() -> None:
    with pytest.raises(StoreError, match=r"/proc/mtbench/a.json cannot be written"):
        write_text(Path("/proc/mtbench/a.json"), "text")


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(StoreError, match="Something on that path is a file, not a folder"):
        make_folder(tmp_path / "results" / "run")


def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "pipe")
    with pytest.raises(StoreError, match=r"pipe is a device, a pipe or a socket, and is not replaced"):
        write_bytes(path, b"content")
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]
    assert path.is_fifo()
