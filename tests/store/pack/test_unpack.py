"""Packs written as folders again."""

import shutil
from pathlib import Path

import pytest

from mtbench.errors import StoreError
from mtbench.store.pack.contents import collect
from mtbench.store.pack.unpack import missing, unpack, write_folder
from mtbench.store.pack.write import write_pack
from mtbench.store.record import Record
from tests.builders.published import publish


@pytest.fixture
def pack(tmp_path: Path, record: Record) -> Path:
    """A pack of two finished runs of the folder ``results``."""
    publish(tmp_path / "results", record)
    found = collect(tmp_path / "results", weights=True)
    write_pack(tmp_path / "x.zip", found.members, found.left_out)
    return tmp_path / "x.zip"


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_unpacked_pack_is_the_folder_that_was_packed(pack: Path, tmp_path: Path) -> None:
    write_folder(tmp_path / "again", unpack(pack))
    assert files(tmp_path / "again") == files(tmp_path / "results")


def test_only_what_is_missing_is_written(pack: Path, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "results", tmp_path / "again")
    assert missing(tmp_path / "again", unpack(pack)) == {}
    lost = next((tmp_path / "again").rglob("record.json"))
    lost.unlink()
    assert list(missing(tmp_path / "again", unpack(pack))) == [lost.relative_to(tmp_path / "again").as_posix()]


def test_nothing_is_written_where_another_file_stands(pack: Path, tmp_path: Path) -> None:
    other = tmp_path / "again" / "mtbench-results.json"
    other.parent.mkdir()
    other.write_text("mine")
    with pytest.raises(StoreError, match=r"1 files there have another content \(.*mtbench-results\.json\)"):
        write_folder(tmp_path / "again", unpack(pack))
    assert files(tmp_path / "again") == {"mtbench-results.json": b"mine"}


def test_nothing_is_written_through_a_link(pack: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / next(iter(unpack(pack))).partition("/")[0]).symlink_to(outside)
    with pytest.raises(StoreError, match="a link may lead out of it"):
        write_folder(tmp_path / "again", unpack(pack))
    assert files(outside) == {}


@pytest.mark.parametrize("name", ["../beside.txt", "/beside.txt", "a/../../beside.txt"])
def test_nothing_is_written_beside_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "content").write_text("content")
    with pytest.raises(StoreError, match="is no path below a folder"):
        write_folder(tmp_path / "again", {name: tmp_path / "content"})
    assert [path.name for path in tmp_path.iterdir()] == ["content"]


def test_a_member_that_was_altered_is_not_written(pack: Path, tmp_path: Path) -> None:
    name = next(name for name in unpack(pack) if name.endswith("curve.jsonl"))
    content = (tmp_path / "results" / name).read_bytes()
    pack.write_bytes(pack.read_bytes().replace(content, content.replace(b"1", b"2")))
    with pytest.raises(StoreError, match=r"curve\.jsonl is damaged"):
        write_folder(tmp_path / "again", unpack(pack))
    assert not any(path.name == "curve.jsonl" for path in (tmp_path / "again").rglob("*"))


def test_a_folder_that_the_disk_has_no_room_for_is_refused(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(StoreError, match=r"again needs [0-9.]+ kB, and the disk has 0\.1 kB left"):
        write_folder(tmp_path / "again", unpack(pack))
    assert not (tmp_path / "again").exists()


def test_what_is_no_pack_is_not_unpacked(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.zip"):
        with pytest.raises(StoreError, match="there is no pack"):
            unpack(path)
