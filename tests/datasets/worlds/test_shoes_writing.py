"""A world of shoes on disk: UT-Zappos50K's files, the same bytes however they came about."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from mtbench.errors import DataError
from mtbench_datasets.worlds import MANIFEST
from mtbench_datasets.worlds.draws import Draws
from mtbench_datasets.worlds.shoes import find_faults, write_world
from mtbench_datasets.worlds.shoes.mixes import CLOSURES, GENDERS, HEIGHTS, WEIGHTS
from mtbench_datasets.worlds.shoes.models import Kind, draw_kind, draw_shoe
from mtbench_datasets.worlds.shoes.picture import draw_picture
from mtbench_datasets.worlds.shoes.sketch import Sketch
from mtbench_datasets.worlds.shoes.vocabulary import HEELS, VALUES
from mtbench_datasets.worlds.world import LOCK

IMAGES = 24
SPELT = {
    "Under 1in": "Under.1in",
    "1in - 1 3/4in": "1in...1.3.4in",
    "2in - 2 3/4in": "2in...2.3.4in",
    "3in - 3 3/4in": "3in...3.3.4in",
    "4in - 4 3/4in": "4in...4.3.4in",
    "5in & over": "5in...over",
    "Lace up": "Lace.up",
    "Slip-On": "Slip.On",
    "Pull-on": "Pull.on",
    "Hook and Loop": "Hook.and.Loop",
    "Ankle Strap": "Ankle.Strap",
    "Sling Back": "Sling.Back",
    "Elastic Gore": "Elastic.Gore",
}
"""Names of the binary table's columns, as released."""


def write(folder: Path, **changes: Any) -> list[str]:
    """Return the lines that are said."""
    said: list[str] = []
    settings: dict[str, Any] = {"images": IMAGES, "seed": 0, "size": (34, 45), "jobs": 1}
    write_world(folder, say=said.append, **(settings | changes))
    return said


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LOCK]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shoes")
    write(folder)
    return folder


@pytest.fixture
def copy(world: Path, tmp_path: Path) -> Path:
    for name, content in contents(world).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def paths(folder: Path) -> list[str]:
    return [str(cell[0]) for cell in loadmat(folder / "ut-zap50k-data" / "image-path.mat")["imagepath"][:, 0]]


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "ut-zap50k-data" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_row_describes_the_picture_of_its_path(world: Path) -> None:
    rows, listed = table(world, "meta-data.csv"), paths(world)
    assert len(rows) == len(listed) == IMAGES
    for row, path in zip(rows, listed, strict=True):
        category, subcategory, brand, name = path.split("/")
        assert (row["Category"], row["SubCategory"]) == (category, subcategory)
        assert row["CID"].replace("-", ".") + ".jpg" == name
        with Image.open(world / "ut-zap50k-images" / category / subcategory / brand.rstrip(".") / name) as image:
            assert image.size == (45, 34)


def test_the_binary_table_says_the_same(world: Path) -> None:
    seen = list[str]()
    for row, marks in zip(table(world, "meta-data.csv"), table(world, "meta-data-bin.csv"), strict=True):
        found = {name for name, mark in marks.items() if mark == "1"}
        for column in ("Category", "HeelHeight", "Closure", "Gender"):
            values = [value for value in row[column].split(";") if value]
            expected = {f"{column}.{SPELT.get(value, value)}" for value in values}
            assert {name for name in found if name.startswith(f"{column}.")} == expected
            seen += [column] * bool(expected)
    assert (seen.count("Category"), seen.count("Gender")) == (IMAGES, IMAGES)
    assert 0 < seen.count("HeelHeight") < IMAGES
    assert seen.count("Closure") > IMAGES / 2


def test_pictures_are_of_shoes_on_white(world: Path) -> None:
    pictures = sorted(world.rglob("*.jpg"))
    assert len(pictures) == IMAGES
    for path in pictures:
        with Image.open(path) as image:
            pixels = np.asarray(image)
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert border.mean() > 250
        shown = (pixels < 235).any(2).mean()
        assert 0.06 < shown < 0.75


def test_a_higher_heel_stands_higher() -> None:
    kind = draw_kind(Draws(0, "test"))
    seats = []
    for level in range(len(HEELS)):
        for number in range(8):
            shoe = draw_shoe(replace(kind, category="Shoes", subcategory="Heels", heel=level), Draws(0, "test", number))
            sketch = Sketch(shoe)
            seats.append((level, float(sketch.insole(np.array(0.95)) - sketch.insole(np.array(0.2)))))
    for level in range(len(HEELS) - 1):
        assert max(seat for at, seat in seats if at == level) < min(seat for at, seat in seats if at == level + 1)


def test_kinds_have_the_words_of_the_metadata_and_high_heels_are_for_women() -> None:
    for number in range(400):
        kind = draw_kind(Draws(0, "test", number))
        assert kind.category in VALUES["Category"]
        assert kind.subcategory in VALUES["SubCategory"]
        assert kind.closure in VALUES["Closure"]
        assert set(kind.gender.split(";")) <= set(VALUES["Gender"])
        assert kind.heel < 3 or kind.gender == "Women"


def test_every_subcategory_with_every_closure_can_be_drawn() -> None:
    drawn = {}
    for category, subcategory in WEIGHTS:
        for closure in CLOSURES[subcategory]:
            kind = Kind(
                category=category,
                subcategory=subcategory,
                brand="Tern",
                closure=closure,
                heel=max(HEIGHTS[subcategory]),
                gender=next(iter(GENDERS[subcategory])),
            )
            draws = Draws(0, "test", "shoe")
            drawn[subcategory, closure] = draw_picture(draw_shoe(kind, draws), draws, (34, 45))
    assert len({pixels.tobytes() for pixels in drawn.values()}) == len(drawn)


def test_the_same_settings_give_the_same_bytes_and_others_do_not(world: Path, tmp_path: Path) -> None:
    write(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(world)
    write(tmp_path / "other", seed=1)
    ours, others = paths(world), paths(tmp_path / "other")
    assert ours != others


def test_a_part_is_continued_and_a_whole_world_left_alone(copy: Path, world: Path) -> None:
    pictures = sorted(copy.rglob("*.jpg"))
    pictures[0].unlink()
    pictures[1].write_bytes(pictures[1].read_bytes()[:300])
    (copy / MANIFEST).unlink()
    assert f"2 of {IMAGES} pictures rendered" in write(copy)[-1]
    assert contents(copy) == contents(world)
    assert write(copy) == [f"the world in {copy} is whole"]
    with pytest.raises(DataError, match=r"holds another world, world shoes, recipe 1, seed 0"):
        write(copy, images=25)


def test_faults_are_found(copy: Path) -> None:
    assert find_faults(copy) == []
    picture = next(copy.rglob("*.jpg"))
    picture.write_bytes(picture.read_bytes()[:-9])
    assert find_faults(copy) == [(picture, "is truncated or altered")]
    table_path = copy / "ut-zap50k-data" / "meta-data-bin.csv"
    table_path.unlink()
    assert find_faults(copy) == [(table_path, "is missing")]
    (copy / MANIFEST).write_text(json.dumps({"images": 3}))
    assert find_faults(copy) == [(copy / MANIFEST, "is altered")]
