"""A world of rooms on disk: NYUv2's folders, the same bytes however they came about, and what is wrong with it."""

import hashlib
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mtbench.errors import DataError
from mtbench_datasets.worlds import MANIFEST
from mtbench_datasets.worlds.rooms import CLASSES, find_faults, write_world
from mtbench_datasets.worlds.rooms.notes import encode_array, encode_note, read_note
from mtbench_datasets.worlds.world import LOCK

SIZE = (24, 32)
SHAPES = {"image": (*SIZE, 3), "label": SIZE, "depth": (*SIZE, 1), "normal": (*SIZE, 3)}
COUNTS = {"train": 6, "val": 3}


def write(folder: Path, **changes: Any) -> list[str]:
    """Return the lines that are said."""
    said: list[str] = []
    settings: dict[str, Any] = {**COUNTS, "seed": 0, "size": SIZE, "jobs": 1}
    write_world(folder, say=said.append, **(settings | changes))
    return said


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LOCK]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def arrays(folder: Path, kind: str, split: str) -> NDArray[np.float32]:
    return np.stack([np.load(folder / split / kind / f"{index}.npy") for index in range(COUNTS[split])])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rooms")
    write(folder)
    return folder


@pytest.fixture
def copy(world: Path, tmp_path: Path) -> Path:
    for name, content in contents(world).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_a_world_lies_as_the_preprocessed_nyuv2_lies(world: Path) -> None:
    pictures = [(split, index) for split, count in COUNTS.items() for index in range(count)]
    expected = {f"{split}/{kind}/{index}.npy" for split, index in pictures for kind in SHAPES}
    notes = {f"{split}/notes/{index}.json" for split, index in pictures}
    assert contents(world).keys() == expected | notes | {"classes.json", MANIFEST}
    for path in expected:
        content = (world / path).read_bytes()
        array = np.load(io.BytesIO(content), allow_pickle=False)
        assert (array.dtype.str, array.shape) == ("<f4", SHAPES[path.split("/")[1]])
        assert len(content) == 128 + array.nbytes


@pytest.mark.parametrize("split", COUNTS)
def test_values_are_in_the_stated_ranges(world: Path, split: str) -> None:
    image, label, depth, normal = (arrays(world, kind, split) for kind in SHAPES)
    assert ((image >= 0) & (image <= 1)).all()
    assert np.array_equal(image, np.rint(255 * image) / np.float32(255))
    assert set(np.unique(label)) <= set(range(-1, len(CLASSES)))
    assert ((depth == 0) | (depth > 0.4)).all()
    lengths = np.sqrt((normal.astype(np.float64) ** 2).sum(3))
    assert ((lengths == 0) | (np.abs(lengths - 1) < 1e-6)).all()
    assert np.array_equal(lengths == 0, depth[..., 0] == 0)


@pytest.mark.parametrize("split", COUNTS)
def test_some_pixels_are_undefined_in_classes_and_others_in_depth(world: Path, split: str) -> None:
    without_label, without_depth = arrays(world, "label", split) < 0, arrays(world, "depth", split)[..., 0] == 0
    assert 0.005 < without_label.mean() < 0.25
    assert 0.005 < without_depth.mean() < 0.25
    assert (without_label & ~without_depth).any()
    assert (without_depth & ~without_label).any()


def test_the_table_has_the_classes_and_their_pixels(world: Path) -> None:
    table = json.loads((world / "classes.json").read_text())
    assert table["classes"] == list(CLASSES)
    for split in COUNTS:
        label, depth = arrays(world, "label", split), arrays(world, "depth", split)
        assert table[split] == {
            "pixels": [int((label == number).sum()) for number in range(len(CLASSES))],
            "without label": int((label == -1).sum()),
            "without depth and normal": int((depth == 0).sum()),
        }


def test_the_manifest_has_the_settings_and_a_sum_over_all_files(world: Path) -> None:
    manifest = json.loads((world / MANIFEST).read_text())
    assert (manifest["world"], manifest["size"], manifest["seed"]) == ("rooms", [32, 24], 0)
    assert manifest["counts"] == COUNTS
    files = sorted(name for name in contents(world) if name != MANIFEST)
    lines = "".join(f"{hashlib.sha256((world / name).read_bytes()).hexdigest()}  {name}\n" for name in files)
    assert manifest["sha256"] == hashlib.sha256(lines.encode()).hexdigest()


def test_two_processes_write_the_same_bytes_as_one(world: Path, tmp_path: Path) -> None:
    write(tmp_path, jobs=2)
    assert contents(tmp_path) == contents(world)


def test_a_picture_does_not_depend_on_the_number_of_others(world: Path, tmp_path: Path) -> None:
    write(tmp_path, train=1, val=2)
    names = [name for name in contents(tmp_path) if "/" in name]
    assert len(names) == 15
    assert all((tmp_path / name).read_bytes() == (world / name).read_bytes() for name in names)


def test_a_whole_world_is_left_alone(copy: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    assert write(copy) == [f"the world in {copy} is whole"]
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_an_interrupted_world_is_completed_and_only_missing_pictures_are_drawn(world: Path, copy: Path) -> None:
    (copy / MANIFEST).unlink()
    (copy / "classes.json").unlink()
    (copy / "train/normal/0.npy").unlink()  # killed before the note
    (copy / "train/notes/0.json").unlink()
    cut = copy / "train/depth/1.npy"
    cut.write_bytes(cut.read_bytes()[:-30])
    (copy / "train/image/2.npy").write_bytes((copy / "train/image/3.npy").read_bytes())  # another picture
    (copy / "val/notes/1.json").write_bytes((copy / "val/notes/2.json").read_bytes())
    (copy / "train/label/.4.npy.0123").write_bytes(b"what a killed writer leaves")
    (copy / "val/notes/.2.json.0123").write_bytes(b"likewise")
    assert write(copy)[-1].startswith("4 of 9 pictures rendered")
    assert contents(copy) == contents(world)


@pytest.mark.parametrize("kind", SHAPES)
def test_altered_arrays_are_found_and_written_again(kind: str, world: Path, copy: Path) -> None:
    altered = copy / "val" / kind / "1.npy"
    content = bytearray(altered.read_bytes())
    content[-40] ^= 1
    altered.write_bytes(content)
    assert find_faults(copy) == [(altered, "is truncated or altered")]
    assert write(copy)[-1].startswith("1 of 9 pictures rendered")
    assert contents(copy) == contents(world)


def test_an_altered_note_is_found_though_the_arrays_are_whole(world: Path, copy: Path) -> None:
    note = copy / "train/notes/5.json"
    note.write_text(note.read_text().replace('"without depth":', '"without depth":1'))
    assert (note, "is truncated or altered") in find_faults(copy)
    write(copy)
    assert contents(copy) == contents(world)


def test_an_altered_table_is_found_and_written_again(world: Path, copy: Path) -> None:
    table = copy / "classes.json"
    table.write_text(table.read_text().replace("sofa", "couch"))
    assert find_faults(copy) == [(table, "is altered, or another file of the world is")]
    assert write(copy)[-1].startswith("0 of 9 pictures rendered")
    assert contents(copy) == contents(world)


def test_missing_files_and_an_altered_manifest_are_named(copy: Path) -> None:
    assert find_faults(copy) == []
    gone = copy / "train/depth/2.npy"
    gone.unlink()
    assert find_faults(copy) == [(gone, "is missing")]
    (copy / MANIFEST).write_text(json.dumps({"world": "rooms", "size": [32, 24]}))
    assert find_faults(copy) == [(copy / MANIFEST, "is altered")]
    (copy / MANIFEST).unlink()
    assert find_faults(copy) == [(copy / MANIFEST, "is missing")]


def test_another_world_is_not_overwritten(copy: Path) -> None:
    before = contents(copy)
    with pytest.raises(DataError, match=r"holds another world, world rooms, .*seed 0.* not .*seed 1.*Remove"):
        write(copy, seed=1)
    assert contents(copy) == before


def test_pictures_of_another_seed_are_not_taken_for_ones_own(copy: Path, world: Path) -> None:
    (copy / MANIFEST).unlink()
    assert write(copy, seed=1)[-1].startswith("9 of 9 pictures rendered")
    first, second = contents(world), contents(copy)
    assert not any(first[name] == second[name] for name in first if "/image/" in name)


def test_train_and_val_have_no_picture_in_common(world: Path) -> None:
    names = [name for name in contents(world) if "/image/" in name]
    assert len({(world / name).read_bytes() for name in names}) == len(names) == 9


def test_a_world_for_which_there_is_no_space_is_refused_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DataError, match=r"^9 pictures need 0\.4 MB in .*, where 0\.0 MB are free\."):
        write(tmp_path)
    assert not list(tmp_path.glob("*/*/*"))


def test_the_space_that_is_asked_for_is_about_what_files_take(tmp_path: Path) -> None:
    said = write(tmp_path, train=1, val=0, size=(96, 128))
    blocks = sum(-(-path.stat().st_size // 4096) for path in tmp_path.glob("train/*/*"))
    assert f"1 pictures need {blocks * 4096 / 1e6:.1f} MB" in said[0]


def test_a_folder_that_cannot_be_written_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "train").write_text("in the way")
    with pytest.raises(DataError, match=r"train/image/0\.npy cannot be written"):
        write(tmp_path)


@pytest.mark.parametrize("cut", [0, 4, 20, -13, -1])
def test_a_truncated_note_is_not_whole(tmp_path: Path, cut: int) -> None:
    path, facts = tmp_path / "0.json", {"pixels": [1, 2], "sha256": {"image": "0a"}}
    content = encode_note("one", facts)
    path.write_bytes(content)
    assert read_note(path, "one") == facts
    assert read_note(path, "two") is None
    path.write_bytes(content[:cut])
    assert read_note(path, "one") is None


@pytest.mark.parametrize("garbage", [b"", b"[]", b"3", b"[" * 100_000, b"\xff\xfe"])
def test_a_note_of_something_else_is_not_whole(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "0.json"
    path.write_bytes(garbage)
    assert read_note(path, "one") is None


def test_arrays_have_equal_bytes_whatever_their_order_in_memory() -> None:
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    turned = values.transpose(2, 1, 0).copy().transpose(2, 1, 0)
    assert encode_array(turned) == encode_array(values.astype(">f4")) == encode_array(values)
    assert np.array_equal(np.load(io.BytesIO(encode_array(turned))), values)
