"""Packs opened for reading, and files that are none."""

import shutil
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from mtbench.errors import DamagedRecord, StoreError
from mtbench.store.pack import index as layout
from mtbench.store.pack.archive import Pack, open_pack
from mtbench.store.pack.index import INDEX, Index, Member, render_index
from mtbench.store.pack.write import write_pack

CONTENT = {"a/one.txt": b"one", "b.txt": b"second"}


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of `CONTENT`."""
    members = {}
    for name, content in CONTENT.items():
        members[name] = tmp_path / name.replace("/", "-")
        members[name].write_bytes(content)
    write_pack(tmp_path / "x.zip", members, {"c": "weights"})
    return tmp_path / "x.zip"


def rewritten(
    pack: Path, change: Callable[[ZipInfo], object] = lambda _: None, more: Mapping[str, bytes] | None = None
) -> Path:
    """Write the members of a pack anew with another header each, and further members; the index stays."""
    path = pack.with_name("y.zip")
    with ZipFile(pack) as old, ZipFile(path, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename != INDEX:
                change(info)
            new.writestr(info, content)
        for name, content in (more or {}).items():
            new.writestr(ZipInfo(name), content)
    return path


def renamed(name: str) -> Callable[[ZipInfo], object]:
    def change(info: ZipInfo) -> None:
        if info.filename == "b.txt":
            info.filename = name

    return change


def compressed(info: ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_DEFLATED


def linked(info: ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def test_members_are_read_as_they_were_written(pack: Path) -> None:
    opened = Pack(pack)
    assert {name: opened.read(name) for name in opened.index.members} == CONTENT
    assert opened.index.left_out == {"c": "weights"}
    assert (opened.size("b.txt"), opened.size("c")) == (6, None)
    assert list(opened.below("a")) == ["one.txt"]
    with pytest.raises(FileNotFoundError):
        opened.read("c")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (compressed, "'a/one.txt' is compressed"),
        (linked, "'a/one.txt' is a link"),
        (renamed("../b.txt"), r"the name '\.\./b\.txt' is no path below a folder"),
        (renamed("/b.txt"), "the name '/b.txt' is no path below a folder"),
        (renamed("a/ONE.txt"), "'a/one.txt' and 'a/ONE.txt' differ by case only"),
        (renamed("b/"), "the name 'b/' is no path below a folder"),
        (renamed("other.txt"), "its index and its member 'b.txt' do not agree"),
    ],
)
def test_a_zip_file_that_is_no_pack_is_refused_by_name(
    pack: Path, change: Callable[[ZipInfo], object], why: str
) -> None:
    with pytest.raises(StoreError, match=rf"y\.zip is no pack, or is damaged: .*{why}"):
        Pack(rewritten(pack, change))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("name", "why"),
    [("d.txt", "its index and its member 'd.txt' do not agree"), ("b.txt", "the name 'b.txt' occurs twice")],
)
def test_members_beside_the_index_are_refused(pack: Path, name: str, why: str) -> None:
    with pytest.raises(StoreError, match=why):
        Pack(rewritten(pack, more={name: b""}))


def test_a_zip_file_without_an_index_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(StoreError, match=r"it has no pack\.json"):
        Pack(tmp_path / "x.zip")


def test_a_large_index_is_refused_before_it_is_read(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtbench.store.pack.archive.LARGEST", 100)
    with pytest.raises(StoreError, match=r"its index has \d+ bytes, and 100 are allowed"):
        Pack(pack)
    assert layout.LARGEST == 64 << 20


@pytest.mark.parametrize("size", [0, 10, -1, -30])
def test_a_file_that_was_cut_off_is_refused(pack: Path, size: int) -> None:
    pack.write_bytes(pack.read_bytes()[:size])
    with pytest.raises(StoreError, match="is no pack, or is damaged"):
        Pack(pack)


def test_a_changed_byte_of_a_member_is_found_when_it_is_read(pack: Path) -> None:
    pack.write_bytes(pack.read_bytes().replace(b"second", b"Second"))
    opened = Pack(pack)
    assert opened.read("a/one.txt") == b"one"
    with pytest.raises(DamagedRecord, match=r"x\.zip/b\.txt is damaged: it does not match its sum in the index"):
        opened.read("b.txt")


def test_an_index_with_another_sum_is_refused(pack: Path) -> None:
    index = Index(made_by="x", members={"b.txt": Member(size=6, sha256="0" * 64)})
    with ZipFile(pack.with_name("y.zip"), "w") as archive:
        archive.writestr(ZipInfo("b.txt"), b"second")
        archive.writestr(ZipInfo(INDEX), render_index(index))
    with pytest.raises(DamagedRecord, match="does not match its sum"):
        Pack(pack.with_name("y.zip")).read("b.txt")


def test_a_pack_that_was_replaced_is_opened_anew(pack: Path, tmp_path: Path) -> None:
    opened = open_pack(str(pack))
    assert opened is not None
    assert open_pack(str(pack)) is opened
    (tmp_path / "other").write_bytes(b"other")
    write_pack(tmp_path / "new.zip", {"d": tmp_path / "other"}, {})
    shutil.move(tmp_path / "new.zip", pack)
    again = open_pack(str(pack))
    assert again is not None
    assert again.read("d") == b"other"
    assert open_pack(str(tmp_path / "nowhere.zip")) is None
    assert open_pack(str(tmp_path)) is None
