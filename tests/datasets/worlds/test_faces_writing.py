"""A world of faces on disk: CelebA's files, the same bytes however they came about, and the dataset made of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mtbench.contract import Dataset
from mtbench.errors import DataError
from mtbench.plan.parse import parse_dataset
from mtbench_datasets.celeba.reading import Folder
from mtbench_datasets.worlds import MANIFEST
from mtbench_datasets.worlds.faces import NAMES, find_faults, write_world
from mtbench_datasets.worlds.faces.recipe import FacesRecipe
from mtbench_datasets.worlds.world import LOCK

SIZE = (44, 36)
MINI = "faces-mini:train=7:val=4:test=5:size=16:triplets=3:test_triplets=2"


def write(folder: Path, **changes: Any) -> list[str]:
    """Return the lines that are said."""
    said: list[str] = []
    settings: dict[str, Any] = {"train": 5, "val": 2, "test": 3, "seed": 0, "size": SIZE, "jobs": 1}
    write_world(folder, say=said.append, **(settings | changes))
    return said


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LOCK]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    write(folder)
    return folder


@pytest.fixture
def copy(world: Path, tmp_path: Path) -> Path:
    for name, content in contents(world).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_a_world_lies_as_celeba_lies(world: Path) -> None:
    pictures = {f"img_align_celeba/{number:06d}.jpg" for number in range(1, 11)}
    lists = {"list_attr_celeba.txt", "list_eval_partition.txt", "list_landmarks_align_celeba.txt"}
    assert contents(world).keys() == pictures | lists | {MANIFEST}
    count, names, *rows = (world / "list_attr_celeba.txt").read_text().splitlines()
    assert count == "10"
    assert names.split() == list(NAMES)
    assert [row.split()[0] for row in rows] == [f"{number:06d}.jpg" for number in range(1, 11)]
    assert {value for row in rows for value in row.split()[1:]} == {"1", "-1"}
    for path in pictures:
        with Image.open(world / path) as picture:
            assert (picture.mode, picture.format, picture.size) == ("RGB", "JPEG", (36, 44))
    count, names, *rows = (world / "list_landmarks_align_celeba.txt").read_text().splitlines()
    assert names.split()[:4] == ["lefteye_x", "lefteye_y", "righteye_x", "righteye_y"]
    for row in rows:
        x, y = [int(value) for value in row.split()[1::2]], [int(value) for value in row.split()[2::2]]
        assert all(0 < place < 36 for place in x)
        assert all(0 < place < 44 for place in y)


def test_the_reader_of_celeba_reads_it(world: Path) -> None:
    folder = Folder(path=world, help="")
    folder.check()
    found = folder.read()
    assert folder.size == SIZE
    assert found.part.tolist() == [0] * 5 + [1] * 2 + [2] * 3
    recipe = FacesRecipe(train=5, val=2, test=3, seed=0, size=SIZE)
    made = [recipe.make(world, picture) for picture in recipe.pictures()]
    assert not any(new for _, new in made)
    assert found.attributes.int().mul(2).sub(1).tolist() == [labels["labels"] for labels, _ in made]


def test_the_same_settings_give_the_same_bytes_after_an_interruption_too(copy: Path, world: Path) -> None:
    (copy / MANIFEST).unlink()
    (copy / "img_align_celeba" / "000004.jpg").unlink()
    path = copy / "img_align_celeba" / "000007.jpg"
    path.write_bytes(path.read_bytes()[:-9])
    (copy / "img_align_celeba" / ".000002.jpg.0123").write_bytes(b"half")
    assert write(copy)[-1].startswith("2 of 10 pictures rendered")
    assert contents(copy) == contents(world)
    assert write(copy) == [f"the world in {copy} is whole"]


def test_another_seed_or_number_is_another_world(world: Path, tmp_path: Path) -> None:
    write(tmp_path, seed=1)
    name = "img_align_celeba/000001.jpg"
    assert (tmp_path / name).read_bytes() != (world / name).read_bytes()
    with pytest.raises(DataError, match="holds another world, world faces, recipe 1, seed 1"):
        write(tmp_path)


def test_faults_are_found(copy: Path) -> None:
    assert find_faults(copy) == []
    path = copy / "img_align_celeba" / "000003.jpg"
    content = path.read_bytes()
    path.write_bytes(content[:-50] + bytes(50))
    assert find_faults(copy) == [(path, "is truncated or altered")]
    path.unlink()
    assert find_faults(copy) == [(path, "is missing")]
    (copy / MANIFEST).write_text(json.dumps({"size": [36, 44]}))
    assert find_faults(copy) == [(copy / MANIFEST, "is altered")]


def opened(root: Path, name: str) -> Dataset:
    return parse_dataset(name).open(root)


def test_faces_mini_is_drawn_read_and_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both datasets of drawn faces read the same pictures."""
    monkeypatch.setattr(
        "mtbench_datasets.celeba.mini.write_world", lambda folder, **given: write(folder, **_less(given))
    )
    dataset = opened(tmp_path, MINI)
    # So few faces need not have what a triplet needs of each attribute.
    with pytest.raises(DataError, match="a triplet needs two images that have it and one that has not"):
        dataset.prepare(lambda _: None)
    labels = opened(tmp_path, "faces-mini-labels:train=7:val=4:test=5:size=16")
    labels.prepare(lambda _: None)
    assert len(labels.tasks) == 38
    split = labels.load("test", validation=False)
    assert len(split) == 5
    assert {path.name for path, _ in labels.verify()} == {
        "faces-mini-7-4-5-v1.safetensors",
        "faces-mini-7-4-5-16x16-v1.pixels",
    }
    (tmp_path / "faces-mini-7-4-5" / "img_align_celeba" / "000002.jpg").unlink()
    with pytest.raises(DataError, match=r"000002\.jpg is missing\. `mtbench data prepare faces-mini-labels:"):
        labels.verify()


def _less(given: dict[str, Any]) -> dict[str, Any]:
    given.pop("say")
    return given


def test_faces_mini_has_the_attributes_that_are_asked_for(tmp_path: Path) -> None:
    for count in ("8", "7", "20", "38"):
        assert len(opened(tmp_path, f"faces-mini:attributes={count}").tasks) == int(count)
    names = [task.name for task in opened(tmp_path, "faces-mini").tasks]
    assert {"smiling", "mouth-slightly-open", "young", "no-beard", "sideburns"} < set(names)
    some = opened(tmp_path, "faces-mini:tasks=smiling/young").tasks
    assert [task.name for task in some] == ["smiling", "young"]
