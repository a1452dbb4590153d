"""States that are kept from one survey to the next."""

import os
from pathlib import Path

from mtbench.store.kept import Kept
from mtbench.store.record import Record
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease
from mtbench.store.run.leased import leased
from mtbench.store.status import survey


def states(folder: Path, kept: Kept) -> list[str]:
    return [run.state for run in survey(folder, folder, kept=kept)]


def test_a_record_is_read_once_and_again_only_if_a_file_of_the_run_has_changed(tmp_path: Path, record: Record) -> None:
    run, kept = RunFolder(tmp_path / record.spec.folder), Kept()
    run.write_spec(record.spec)
    with leased(run) as held:
        held.publish(record, {}, {})
    assert states(tmp_path, kept) == ["fresh"]
    path = run.path / "record.json"
    before = path.stat()
    with path.open("r+b") as file:  # another content behind the same size and time
        file.write(b" " * 40)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert states(tmp_path, kept) == ["fresh"]
    assert states(tmp_path, Kept()) == ["damaged"]
    os.utime(path)
    assert states(tmp_path, kept) == ["damaged"]


def test_a_run_that_was_running_is_looked_at_again_whatever_its_files_say(tmp_path: Path, record: Record) -> None:
    run, kept = RunFolder(tmp_path / record.spec.folder), Kept()
    run.write_spec(record.spec)
    assert states(tmp_path, kept) == ["missing"]
    with Lease(run.path):
        assert states(tmp_path, kept) == ["running"]
    assert states(tmp_path, kept) == ["missing"]
