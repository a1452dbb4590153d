"""A world on disk: its layout, the same bytes however it came about, and what a killed writer leaves."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mtbench.errors import DataError
from mtbench_datasets.worlds import MANIFEST
from mtbench_datasets.worlds.clevr import draw_scenes, find_faults, write_world
from mtbench_datasets.worlds.clevr.images import encode, is_whole
from mtbench_datasets.worlds.world import LOCK
from tests.waits import wait_until

SIZE = (24, 32)


def write(folder: Path, **changes: Any) -> list[str]:
    """Return the lines that are said."""
    said: list[str] = []
    settings: dict[str, Any] = {"train": 6, "val": 3, "seed": 0, "size": SIZE, "jobs": 1, "maps": True}
    write_world(folder, say=said.append, **(settings | changes))
    return said


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LOCK]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write(folder)
    return folder


@pytest.fixture
def copy(world: Path, tmp_path: Path) -> Path:
    for name, content in contents(world).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_a_world_for_which_there_is_no_space_is_refused_before_anything_is_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=9 * 24 * 32))
    with pytest.raises(DataError, match=r"^9 pictures need 0\.0 MB in .*, where 0\.0 MB are free\."):
        write(tmp_path)
    assert not list(tmp_path.glob("images/*/*"))


def test_a_world_lies_as_clevr_lies(world: Path) -> None:
    images = {f"images/{s}/CLEVR_{s}_{i:06d}.png" for s, count in (("train", 6), ("val", 3)) for i in range(count)}
    maps = {name.replace("images", room) for room in ("depth", "normals", "masks") for name in images}
    scenes = {"scenes/CLEVR_train_scenes.json", "scenes/CLEVR_val_scenes.json"}
    assert contents(world).keys() == images | maps | scenes | {MANIFEST}
    for name in images:
        with Image.open(world / name) as image:
            assert (image.mode, image.size) == ("RGB", (32, 24))
    for split, count in (("train", 6), ("val", 3)):
        file = json.loads((world / f"scenes/CLEVR_{split}_scenes.json").read_text())
        assert file["info"].keys() == {"split", "version", "date", "license"}
        assert file["info"]["split"] == split
        assert [scene["image_index"] for scene in file["scenes"]] == list(range(count))
        assert all((world / "images" / split / scene["image_filename"]).is_file() for scene in file["scenes"])


def test_the_manifest_has_the_settings_and_a_sum_over_all_files(world: Path) -> None:
    manifest = json.loads((world / MANIFEST).read_text())
    assert (manifest["size"], manifest["seed"], manifest["counts"]) == ([32, 24], 0, {"train": 6, "val": 3})
    files = sorted(name for name in contents(world) if name != MANIFEST)
    lines = "".join(f"{hashlib.sha256((world / name).read_bytes()).hexdigest()}  {name}\n" for name in files)
    assert manifest["sha256"] == hashlib.sha256(lines.encode()).hexdigest()


def test_two_processes_write_the_same_bytes_as_one(world: Path, tmp_path: Path) -> None:
    write(tmp_path, jobs=2)
    assert contents(tmp_path) == contents(world)


def test_maps_leave_pictures_and_scenes_as_they_are(world: Path, tmp_path: Path) -> None:
    write(tmp_path, maps=False)
    with_maps = contents(world)
    found = contents(tmp_path)
    maps = {name for name in with_maps if name.split("/")[0] in ("depth", "normals", "masks")}
    assert len(maps) == 9 * 3
    assert found.keys() == with_maps.keys() - maps
    assert all(with_maps[name] == content for name, content in found.items() if name != MANIFEST)


def test_maps_have_the_stated_dtypes_and_name_the_objects_of_the_scene(world: Path) -> None:
    scenes = json.loads((world / "scenes/CLEVR_train_scenes.json").read_text())["scenes"]
    assert len(scenes) == 6
    for scene in scenes:
        depth, normals, masks = (
            np.array(Image.open(world / room / "train" / scene["image_filename"]))
            for room in ("depth", "normals", "masks")
        )
        assert (depth.dtype.name, depth.shape) == ("uint16", SIZE)
        assert (normals.dtype.name, normals.shape) == ("uint8", (*SIZE, 3))
        assert set(np.unique(masks)) == set(range(len(scene["objects"]) + 1))
        for number, thing in enumerate(scene["objects"]):
            assert depth[masks == number + 1].mean() / 1000 == pytest.approx(thing["pixel_coords"][2], abs=1.0)


def test_a_whole_world_is_left_alone(copy: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    assert write(copy) == [f"the world in {copy} is whole"]
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_an_interrupted_world_is_completed_and_only_missing_pictures_are_rendered(world: Path, copy: Path) -> None:
    (copy / MANIFEST).unlink()
    (copy / "scenes/CLEVR_val_scenes.json").unlink()
    first, second, third, fourth = (copy / f"images/train/CLEVR_train_{index:06d}.png" for index in range(4))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-30])  # half-written
    third.write_bytes(fourth.read_bytes())  # another picture under this name
    fourth.with_name(f".{fourth.name}.0123").write_bytes(b"what a killed writer leaves")
    said = write(copy)
    assert said[-1].startswith("3 of 9 pictures rendered")
    assert contents(copy) == contents(world)


def test_altered_files_are_found_and_written_again(world: Path, copy: Path) -> None:
    altered = copy / "images/val/CLEVR_val_000001.png"
    content = bytearray(altered.read_bytes())
    content[-40] ^= 1
    altered.write_bytes(content)
    assert find_faults(copy) == [(altered, "is truncated or altered")]
    assert write(copy)[-1].startswith("1 of 9 pictures rendered")
    assert contents(copy) == contents(world)


def test_an_altered_scenes_file_is_found_and_written_again(world: Path, copy: Path) -> None:
    scenes = copy / "scenes/CLEVR_train_scenes.json"
    scenes.write_text(scenes.read_text().replace("rubber", "metal"))
    assert find_faults(copy) == [(scenes, "is altered, or another file of the world is")]
    assert write(copy)[-1].startswith("0 of 9 pictures rendered")
    assert contents(copy) == contents(world)


def test_a_missing_file_is_named(copy: Path) -> None:
    gone = copy / "depth/train/CLEVR_train_000002.png"
    gone.unlink()
    assert find_faults(copy) == [(gone, "is missing")]


@pytest.mark.parametrize("garbage", ["", "[]", "[" * 100_000])
def test_a_world_of_which_nothing_can_be_read_is_not_overwritten(garbage: str, copy: Path) -> None:
    (copy / "mtbench-world.json").write_text(garbage)
    with pytest.raises(DataError, match=r"holds another world, an unreadable one, not .*Remove"):
        write(copy)


def test_another_world_is_not_overwritten(copy: Path) -> None:
    before = contents(copy)
    with pytest.raises(DataError, match=r"holds another world, .*seed 0.* not .*seed 1.*Remove"):
        write(copy, seed=1)
    assert contents(copy) == before


def test_pictures_of_another_seed_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    write(tmp_path, seed=1, maps=False)
    (tmp_path / MANIFEST).unlink()
    assert write(tmp_path, maps=False)[-1].startswith("9 of 9 pictures rendered")


def test_written_scenes_are_among_those_that_are_drawn(tmp_path: Path) -> None:
    write(tmp_path, train=20, val=0, maps=False)
    found = json.loads((tmp_path / "scenes/CLEVR_train_scenes.json").read_text())["scenes"]
    drawn = draw_scenes(20, 0, size=SIZE)
    same = [a == b for a, b in zip(found, drawn, strict=True)]
    assert 10 <= sum(same) < 20  # the others have the same objects at other places
    for a, b in zip(found, drawn, strict=True):
        assert [item["color"] for item in a["objects"]] == [item["color"] for item in b["objects"]]


@pytest.mark.parametrize("cut", [0, 4, 20, -13, -1])
def test_a_truncated_png_is_not_whole(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.png"
    content = encode(torch.arange(300, dtype=torch.uint8).view(10, 10, 3), "one")
    path.write_bytes(content)
    assert is_whole(path, "one")
    assert not is_whole(path, "two")
    path.write_bytes(content[:cut])
    assert not is_whole(path, "one")


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_folder_that_cannot_be_written_is_an_error_that_names_the_file(tmp_path: Path, jobs: int) -> None:
    (tmp_path / "images").write_text("in the way")
    with pytest.raises(DataError, match=r"CLEVR_train_00000\d.png cannot be written"):
        write(tmp_path, maps=False, train=12, jobs=jobs)


WRITER = """
import sys
from pathlib import Path
from mtbench_datasets.worlds.clevr import write_world

if __name__ == "__main__":
    write_world(Path(sys.argv[1]), train=400, val=0, seed=0, size=(24, 32), say=print, jobs=2)
"""


def children(pid: int) -> list[int]:
    text = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, timeout=300).stdout
    return [int(line) for line in text.split()]


@pytest.mark.slow
def test_a_writer_that_was_killed_leaves_no_process_and_is_continued(tmp_path: Path) -> None:
    script, folder = tmp_path / "writer.py", tmp_path / "killed"
    script.write_text(WRITER)
    process = subprocess.Popen([sys.executable, str(script), str(folder)], stdout=subprocess.DEVNULL)
    wait_until(lambda: len(list(folder.glob("images/train/CLEVR*"))) >= 40)
    workers = children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait(300)
    assert len(workers) >= 2
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    whole = len(list(folder.glob("images/train/CLEVR*")))
    assert 40 <= whole < 400
    assert not (folder / MANIFEST).exists()
    said = write(folder, train=400, val=0, maps=False)
    assert said[-1].startswith(f"{400 - whole} of 400 pictures rendered")
    other = tmp_path / "undisturbed"
    write(other, train=400, val=0, maps=False, jobs=2)
    assert contents(folder) == contents(other)
