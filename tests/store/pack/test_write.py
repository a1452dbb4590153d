"""Packs written: their bytes, and what happens to one that is there."""

import os
import shutil
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from mtbench.errors import StoreError, UsageError
from mtbench.store.pack.archive import Pack
from mtbench.store.pack.write import pack_size, write_pack


@pytest.fixture
def members(tmp_path: Path) -> dict[str, Path]:
    found = {"suites/s.json": tmp_path / "s", "a/seed-0-b/record.json": tmp_path / "r"}
    for path in found.values():
        path.write_text(path.name)
    return found


def test_the_same_members_make_the_same_bytes_in_any_order_and_at_any_time(
    tmp_path: Path, members: dict[str, Path]
) -> None:
    write_pack(tmp_path / "x.zip", members, {"b": "weights", "a": "log"})
    os.utime(members["suites/s.json"], (0, 0))
    write_pack(tmp_path / "y.zip", dict(reversed(members.items())), {"a": "log", "b": "weights"})
    assert (tmp_path / "x.zip").read_bytes() == (tmp_path / "y.zip").read_bytes()


def test_any_program_for_zip_files_reads_a_pack(tmp_path: Path, members: dict[str, Path]) -> None:
    write_pack(tmp_path / "x.zip", members, {})
    with ZipFile(tmp_path / "x.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a/seed-0-b/record.json", "suites/s.json", "pack.json"]
        assert archive.read("suites/s.json") == b"s"
        assert {info.compress_type for info in archive.infolist()} == {ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_size_that_is_foretold_is_enough(tmp_path: Path, members: dict[str, Path]) -> None:
    write_pack(tmp_path / "x.zip", members, {})
    assert 0 < (tmp_path / "x.zip").stat().st_size <= pack_size(members)


def test_a_pack_that_grows_replaces_the_one_that_is_there(tmp_path: Path, members: dict[str, Path]) -> None:
    write_pack(tmp_path / "x.zip", members, {})
    (tmp_path / "r2").write_text("r2")
    members["suites/s.json"].write_text("changed, as a study is that grows")
    write_pack(tmp_path / "x.zip", {**members, "a/seed-1-c/record.json": tmp_path / "r2"}, {})
    assert len(Pack(tmp_path / "x.zip").index.members) == 3


def test_a_pack_is_not_replaced_if_a_run_in_it_would_be_lost_or_changed(
    tmp_path: Path, members: dict[str, Path]
) -> None:
    write_pack(tmp_path / "x.zip", members, {})
    before = (tmp_path / "x.zip").read_bytes()
    members["a/seed-0-b/record.json"].write_text("changed")
    for other in (members, {}):
        with pytest.raises(StoreError, match=r"x\.zip is not replaced: 1 of its files would be lost or changed \(a/"):
            write_pack(tmp_path / "x.zip", other, {})
    assert (tmp_path / "x.zip").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["r", "s", "x.zip"]


def test_a_file_that_is_no_pack_is_not_replaced(tmp_path: Path, members: dict[str, Path]) -> None:
    (tmp_path / "x.zip").write_text("mine")
    with pytest.raises(StoreError, match=r"x\.zip is not replaced: .* is no pack"):
        write_pack(tmp_path / "x.zip", members, {})
    assert (tmp_path / "x.zip").read_text() == "mine"


def test_a_pack_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path, members: dict[str, Path]) -> None:
    write_pack(tmp_path / "x.zip", members, {})
    before = (tmp_path / "x.zip").read_bytes()
    with pytest.raises(StoreError, match=r"lost cannot be read: No such file"):
        write_pack(tmp_path / "x.zip", {**members, "z": tmp_path / "lost"}, {})
    assert (tmp_path / "x.zip").read_bytes() == before


def test_a_pack_that_the_disk_has_no_room_for_is_refused_with_both_numbers(
    tmp_path: Path, members: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(StoreError, match=r"x\.zip needs [0-9.]+ kB, and the disk has 0\.1 kB left"):
        write_pack(tmp_path / "x.zip", members, {})
    assert not (tmp_path / "x.zip").exists()


def test_names_of_packs_and_of_members_are_checked_before_anything_is_written(
    tmp_path: Path, members: dict[str, Path]
) -> None:
    with pytest.raises(UsageError, match=r"Allowed: a file that ends with \.zip"):
        write_pack(tmp_path / "x.tar", members, {})
    with pytest.raises(StoreError, match="differ by case only"):
        write_pack(tmp_path / "x.zip", {**members, "A/seed-0-b/record.json": tmp_path / "r"}, {})
    assert sorted(os.listdir(tmp_path)) == ["r", "s"]
