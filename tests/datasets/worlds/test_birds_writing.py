"""A world of birds on disk: CUB's files, the same bytes however they came about, and what a killed writer leaves."""

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
from PIL import Image

from mtbench.errors import DataError
from mtbench_datasets.worlds import MANIFEST
from mtbench_datasets.worlds.birds import MOST, find_faults, write_world
from mtbench_datasets.worlds.birds.recipe import BirdsRecipe
from mtbench_datasets.worlds.jpeg import encode, read_facts
from mtbench_datasets.worlds.world import LOCK
from tests.waits import wait_until

SIZE = (24, 32)


def write(folder: Path, **changes: Any) -> list[str]:
    """Return the lines that are said."""
    said: list[str] = []
    settings: dict[str, Any] = {"train": 7, "test": 4, "species": 3, "seed": 0, "size": SIZE, "jobs": 1}
    write_world(folder, say=said.append, **(settings | changes))
    return said


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LOCK]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def rows(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("birds")
    write(folder)
    return folder


@pytest.fixture
def copy(world: Path, tmp_path: Path) -> Path:
    for name, content in contents(world).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def image(folder: Path, number: int) -> Path:
    return folder / "images" / rows(folder / "images.txt")[number - 1][1]


def test_a_world_lies_as_cub_lies(world: Path) -> None:
    images = rows(world / "images.txt")
    assert [int(number) for number, _ in images] == list(range(1, 12))
    texts = {
        "images.txt", "image_class_labels.txt", "train_test_split.txt", "classes.txt", "bounding_boxes.txt",
        "parts/parts.txt", "parts/part_locs.txt", "attributes/attributes.txt", "attributes/certainties.txt",
        "attributes/image_attribute_labels.txt", "attributes/class_attribute_labels_continuous.txt",
    }  # fmt: skip
    assert contents(world).keys() == {f"images/{path}" for _, path in images} | texts | {MANIFEST}
    classes = dict(rows(world / "classes.txt"))
    assert list(classes) == ["1", "2", "3"]
    labels = dict(rows(world / "image_class_labels.txt"))
    for number, path in images:
        assert path.startswith(f"{classes[labels[number]]}/{classes[labels[number]].partition('.')[2]}_")
        with Image.open(world / "images" / path) as picture:
            assert (picture.mode, picture.format) == ("RGB", "JPEG")
    parts = rows(world / "parts/parts.txt")
    assert [" ".join(words) for words in parts][::7] == ["1 back", "8 left leg", "15 throat"]
    assert len(parts) == 15
    assert rows(world / "attributes/certainties.txt")[1:] == [["2", "guessing"], ["3", "probably"], ["4", "definitely"]]


def test_splits_are_even_within_the_species(world: Path) -> None:
    label, split = (dict(rows(world / name)) for name in ("image_class_labels.txt", "train_test_split.txt"))
    counts = {(kind, flag): 0 for kind in "123" for flag in "01"}
    for number, flag in split.items():
        counts[label[number], flag] += 1
    assert counts == {("1", "1"): 3, ("2", "1"): 2, ("3", "1"): 2, ("1", "0"): 2, ("2", "0"): 1, ("3", "0"): 1}


def test_every_image_has_15_parts_within_it_and_a_box(world: Path) -> None:
    parts = np.array(rows(world / "parts/part_locs.txt"), dtype=float)
    assert parts[:, :2].tolist() == [[number, part] for number in range(1, 12) for part in range(1, 16)]
    boxes = np.array(rows(world / "bounding_boxes.txt"), dtype=float)
    for number in range(1, 12):
        with Image.open(image(world, number)) as picture:
            width, height = picture.size
        mine = parts[parts[:, 0] == number]
        shown = mine[mine[:, 4] == 1]
        assert len(shown) > 3
        assert ((shown[:, 2:4] >= 0) & (shown[:, 2:4] < [width, height])).all()
        assert (mine[mine[:, 4] == 0, 2:] == 0).all()
        _, x, y, wide, high = boxes[number - 1]
        assert min(x, y) >= 0
        assert x + wide <= width + 0.1
        assert y + high <= height + 0.1


def test_every_image_has_312_attributes_of_which_the_training_images_make_the_percentages(world: Path) -> None:
    lines = rows(world / "attributes/image_attribute_labels.txt")
    assert [[int(a), int(b)] for a, b, *_ in lines] == [[i, a] for i in range(1, 12) for a in range(1, 313)]
    assert {len(line) for line in lines} == {5}
    assert {line[2] for line in lines} == {"0", "1"}
    assert {line[3] for line in lines} <= set("1234")
    present = np.array([int(line[2]) for line in lines]).reshape(11, 312)
    species = np.array([int(kind) for _, kind in rows(world / "image_class_labels.txt")])
    train = np.array([flag == "1" for _, flag in rows(world / "train_test_split.txt")])
    found = np.array(rows(world / "attributes/class_attribute_labels_continuous.txt"), dtype=float)
    expected = np.stack([100 * present[(species == kind) & train].mean(0) for kind in (1, 2, 3)])
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_manifest_has_the_settings_and_a_sum_over_all_files(world: Path) -> None:
    manifest = json.loads((world / MANIFEST).read_text())
    assert (manifest["size"], manifest["species"], manifest["counts"]) == ([32, 24], 3, {"train": 7, "test": 4})
    files = sorted(name for name in contents(world) if name != MANIFEST)
    lines = "".join(f"{hashlib.sha256((world / name).read_bytes()).hexdigest()}  {name}\n" for name in files)
    assert manifest["sha256"] == hashlib.sha256(lines.encode()).hexdigest()


def test_two_processes_write_the_same_bytes_as_one(world: Path, tmp_path: Path) -> None:
    write(tmp_path, jobs=2)
    assert contents(tmp_path) == contents(world)


def test_a_species_is_the_same_however_many_there_are(world: Path, tmp_path: Path) -> None:
    write(tmp_path, train=3, test=2, species=1)
    for number in range(1, 6):
        assert image(tmp_path, number).read_bytes() == image(world, number).read_bytes()


def test_a_world_for_which_there_is_no_space_is_refused_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=9 * 24 * 32))
    with pytest.raises(DataError, match=r"^11 pictures need 0\.0 MB in .*, where 0\.0 MB are free\."):
        write(tmp_path)
    assert not list(tmp_path.glob("images/*/*"))


def test_a_whole_world_is_left_alone(copy: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    assert write(copy) == [f"the world in {copy} is whole"]
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_an_interrupted_world_is_completed_and_only_missing_pictures_are_drawn(world: Path, copy: Path) -> None:
    first, second, third, fourth = (image(copy, number) for number in range(1, 5))
    (copy / MANIFEST).unlink()
    (copy / "parts/part_locs.txt").unlink()
    first.unlink()
    second.write_bytes(second.read_bytes()[:-30])  # half-written
    third.write_bytes(fourth.read_bytes())  # another picture under this name
    fourth.with_name(f".{fourth.name}.0123").write_bytes(b"what a killed writer leaves")
    said = write(copy)
    assert said[-1].startswith("3 of 11 pictures rendered")
    assert contents(copy) == contents(world)


def test_altered_files_are_found_and_written_again(world: Path, copy: Path) -> None:
    altered = image(copy, 5)
    content = bytearray(altered.read_bytes())
    content[-40] ^= 1
    altered.write_bytes(content)
    assert find_faults(copy) == [(altered, "is truncated or altered")]
    assert write(copy)[-1].startswith("1 of 11 pictures rendered")
    labels = copy / "attributes/image_attribute_labels.txt"
    labels.write_text(labels.read_text().replace(" 1 4 ", " 0 4 "))
    assert find_faults(copy) == [(copy / "images.txt", "is altered, or another file of the world is")]
    assert write(copy)[-1].startswith("0 of 11 pictures rendered")
    assert contents(copy) == contents(world)


def test_a_missing_file_is_named(copy: Path) -> None:
    gone = copy / "train_test_split.txt"
    gone.unlink()
    assert find_faults(copy) == [(gone, "is missing")]


def test_another_world_is_not_overwritten(copy: Path) -> None:
    before = contents(copy)
    with pytest.raises(DataError, match=r"holds another world, .*species 3.* not .*species 2.*Remove"):
        write(copy, species=2)
    assert contents(copy) == before


@pytest.mark.parametrize("garbage", ["", "[]", '{"world": "birds"}'])
def test_a_manifest_of_which_nothing_can_be_read_is_named(garbage: str, copy: Path) -> None:
    (copy / MANIFEST).write_text(garbage)
    assert find_faults(copy) == [(copy / MANIFEST, "is altered")]
    with pytest.raises(DataError, match=r"holds another world"):
        write(copy)


def test_pictures_of_another_seed_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    write(tmp_path, train=1, test=1, seed=1)
    (tmp_path / MANIFEST).unlink()
    assert write(tmp_path, train=1, test=1)[-1].startswith("2 of 2 pictures rendered")


@pytest.mark.parametrize("cut", [0, 4, 20, 30, 200, -13, -1])
def test_a_truncated_jpeg_is_not_whole(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.jpg"
    content = encode(np.arange(300, dtype=np.uint8).reshape(10, 10, 3), "one", {"points": {"back": [1.5, 2.5]}})
    path.write_bytes(content)
    assert read_facts(path, "one") == {"points": {"back": [1.5, 2.5]}}
    assert read_facts(path, "two") is None
    path.write_bytes(content[:cut])
    assert read_facts(path, "one") is None


def test_the_comment_of_a_jpeg_leaves_its_pixels_as_they_are(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(pixels, "one", {"areas": {"back": 0.25}}))
    Image.fromarray(pixels).save(tmp_path / "b.jpg", quality=92, subsampling=0)
    with Image.open(path) as ours, Image.open(tmp_path / "b.jpg") as plain:
        assert (np.asarray(ours) == np.asarray(plain)).all()


def test_all_names_of_species_differ() -> None:
    recipe = BirdsRecipe(train=0, test=0, species=MOST, seed=0, size=SIZE)
    assert len({kind.name.partition(".")[2] for kind in recipe.kinds}) == MOST >= 200


WRITER = """
import sys
from pathlib import Path
from mtbench_datasets.worlds.birds import write_world

if __name__ == "__main__":
    write_world(Path(sys.argv[1]), train=200, test=0, species=5, seed=0, size=(24, 32), say=print, jobs=2)
"""


def children(pid: int) -> list[int]:
    text = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, timeout=300).stdout
    return [int(line) for line in text.split()]


@pytest.mark.slow
def test_a_writer_that_was_killed_is_continued(tmp_path: Path) -> None:
    script, folder = tmp_path / "writer.py", tmp_path / "killed"
    script.write_text(WRITER)
    process = subprocess.Popen([sys.executable, str(script), str(folder)], stdout=subprocess.DEVNULL)
    wait_until(lambda: len(list(folder.glob("images/*/[A-Z]*.jpg"))) >= 30)
    workers = children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait(300)
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    whole = len(list(folder.glob("images/*/[A-Z]*.jpg")))
    assert 30 <= whole < 200
    assert not (folder / MANIFEST).exists()
    said = write(folder, train=200, test=0, species=5)
    assert said[-1].startswith(f"{200 - whole} of 200 pictures rendered")
    other = tmp_path / "undisturbed"
    write(other, train=200, test=0, species=5, jobs=2)
    assert contents(folder) == contents(other)
