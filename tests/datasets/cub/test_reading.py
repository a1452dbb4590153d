"""The files of CUB-200-2011 as released, as others lay them out, damaged, and of other datasets."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mtbench.errors import DataError
from mtbench_datasets.cub import reading
from mtbench_datasets.cub.annotations import TENSORS, Annotations
from mtbench_datasets.cub.reading import Folder
from mtbench_datasets.cub.tables import LAYOUT, Table
from mtbench_datasets.cub.vocabulary import ATTRIBUTES
from tests.datasets.cub.trees import HELP, PARTS, Bird, edit, write_tree

BIRDS = [
    Bird(training=True, marked={"wing_color::blue": 3}, points={"crown": (12.5, 7.25)}),
    Bird(species=2, marked={"eye_color::red": 2, "eye_color::buff": 4}),
    Bird(species=3, training=True, points={"left leg": (3.0, 30.0), "tail": (40.0, 2.0)}),
]
PERCENTAGES = "attributes/class_attribute_labels_continuous.txt"
LABELS = "attributes/image_attribute_labels.txt"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("made") / "cub", BIRDS, images=False, percentages={(2, "size::x"): 3.5})


@pytest.fixture
def tree(made: Path, tmp_path: Path) -> Path:
    """A small world's folder that may be damaged."""
    return shutil.copytree(made, tmp_path / "cub")


def read(folder: Path) -> Annotations:
    return Folder(path=folder, help=HELP).read()


def refusal(folder: Path) -> str:
    """Return what is said of the folder, without the layout and the help that end every refusal."""
    with pytest.raises(DataError) as error:
        read(folder)
    end = f" {LAYOUT} {HELP}"
    assert str(error.value).endswith(end)
    return str(error.value).removesuffix(end).replace(str(folder), "DIR")


def same(one: Annotations, other: Annotations) -> bool:
    return one.names == other.names and all(
        torch.equal(getattr(one, name).nan_to_num(-1), getattr(other, name).nan_to_num(-1)) for name in TENSORS
    )


def test_images_are_read_in_the_order_of_their_numbers(tree: Path) -> None:
    found = read(tree)
    assert found.names == ("001.Bird_1/Bird_1_0001.jpg", "002.Bird_2/Bird_2_0002.jpg", "003.Bird_3/Bird_3_0003.jpg")
    assert found.species.tolist() == [0, 1, 2]
    assert found.training.tolist() == [True, False, True]
    assert found.places[0, PARTS.index("crown")].tolist() == [12.5, 7.25]
    assert int((~found.places.isnan().any(2)).sum()) == 3


def test_rows_may_stand_in_any_order(tree: Path) -> None:
    before = read(tree)
    for name in ("images.txt", "parts/part_locs.txt", "attributes/attributes.txt", "classes.txt", LABELS):
        edit(tree / name, lambda lines: lines.reverse())
    assert same(read(tree), before)


def test_parts_and_attributes_are_known_by_name_and_not_by_number(tree: Path) -> None:
    before = read(tree)

    def renumber(name: str, count: int, *, also: str, at: int) -> None:
        """Number the things of a file from the end, there and where they are referred to."""
        for path, place in ((tree / name, 0), (tree / also, at)):
            lines = [line.split() for line in path.read_text().splitlines()]
            for fields in lines:
                fields[place] = str(count + 1 - int(fields[place]))
            path.write_text("\n".join(" ".join(fields) for fields in lines))

    renumber("parts/parts.txt", 15, also="parts/part_locs.txt", at=1)
    renumber("attributes/attributes.txt", 312, also=LABELS, at=1)
    edit(
        tree / PERCENTAGES,
        lambda lines: lines.__setitem__(slice(None), [" ".join(reversed(line.split())) for line in lines]),
    )
    assert same(read(tree), before)


def test_lines_with_more_fields_are_read_by_their_first_four_and_reported(tree: Path) -> None:
    before = read(tree)

    def lengthen(lines: list[str]) -> None:
        for row in (3, 4, 311 + 312 + 5):
            image, attribute, present, certainty, time = lines[row].split()
            lines[row] = f"{image} {attribute} {present} {certainty} 0 {time}"
        lines[8] += " 9 9 9"

    edit(tree / LABELS, lengthen)
    found = read(tree)
    assert same(found, before)
    assert found.remarks == (
        f"attributes of images are read from {LABELS}",
        "lines with more than 5 fields, of which the first four are read: 4 (of images 1, 3)",
    )


def test_spaces_line_ends_and_blank_lines_make_no_difference(tree: Path) -> None:
    before = read(tree)
    for path in tree.rglob("*.txt"):
        text = path.read_text().replace(" ", "  ").replace("1  2", " 1 \t2").replace("\n", "\r\n\r\n")
        path.write_bytes(text.encode())
    found = read(tree)
    assert same(found, before)
    assert found.remarks == before.remarks


def test_a_cleaned_twin_is_read_where_the_file_is_missing_and_that_is_said(tree: Path) -> None:
    before = read(tree)
    clean = tree / "attributes/image_attribute_labels_clean.txt"
    shutil.copy(tree / LABELS, clean)
    edit(clean, lambda lines: lines.pop())
    assert read(tree).remarks == (f"attributes of images are read from {LABELS}",)
    shutil.copy(tree / LABELS, clean)
    (tree / LABELS).unlink()
    found = read(tree)
    assert same(found, before)
    assert found.remarks == ("attributes of images are read from attributes/image_attribute_labels_clean.txt",)


@pytest.mark.parametrize("place", ["attributes.txt", "../attributes.txt"])
def test_the_names_of_attributes_are_found_in_three_places(place: str, tree: Path) -> None:
    before = read(tree)
    (tree / "attributes/attributes.txt").rename(tree / place)
    assert same(read(tree), before)
    (tree / place).unlink()
    assert refusal(tree) == "DIR/attributes/attributes.txt is missing."


def change(row: int, text: str) -> Callable[[list[str]], object]:
    return lambda lines: lines.__setitem__(row, text)


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("images.txt", change(1, "2"), "line 2 of FILE: '2' is not the number of image and a text."),
        ("images.txt", change(1, "two a.jpg"), "line 2 of FILE: 'two a.jpg' is not the number of image and a text."),
        ("images.txt", change(2, "2 a.jpg"), "line 3 of FILE: image 2 is there already."),
        (
            "images.txt",
            change(2, "3 001.Bird_1/Bird_1_0001.jpg"),
            "line 3 of FILE: 001.Bird_1/Bird_1_0001.jpg is image 1 al",
        ),
        ("images.txt", change(1, "7 a.jpg"), "FILE of 3 lines has none for image 2."),
        ("images.txt", change(0, "0 a.jpg"), "line 1 of FILE: '0 a.jpg' is not the number of image and a text."),
        ("images.txt", list.clear, "FILE of 0 lines has none for image 1."),
        ("train_test_split.txt", list.pop, "FILE ends with image 2, and DIR/images.txt has 3."),
        (
            "train_test_split.txt",
            change(1, "2 2"),
            "line 2 of FILE: '2' is not 1 for training or 0 for test",
        ),
        (
            "train_test_split.txt",
            change(1, "2 1 1"),
            "line 2 of FILE: '1 1' is not 1 for training or 0 for test",
        ),
        (
            "image_class_labels.txt",
            change(0, "1 4"),
            "line 1 of FILE: '4' is not of DIR/classes.txt, a whole",
        ),
        (
            "image_class_labels.txt",
            change(0, "1 -1"),
            "line 1 of FILE: '-1' is not of DIR/classes.txt, a whole",
        ),
        ("parts/part_locs.txt", change(16, "2 2 0.0 0.0"), "line 17 of FILE: it has 4 fields, and a part of an image"),
        ("parts/part_locs.txt", change(4, "1 5 x 0.0 1"), "line 5 of FILE: 'x' is no number."),
        ("parts/part_locs.txt", change(4, "1 5 1.0 nan 1"), "line 5 of FILE: the point is 1.0, nan."),
        ("parts/part_locs.txt", change(4, "1 5 1.0 1e40 1"), "line 5 of FILE: the point is 1.0, 1e+40."),
        ("parts/part_locs.txt", change(4, "1 5 1.0 2.0 3"), "line 5 of FILE: visible is 3, and not 0 or 1."),
        ("parts/part_locs.txt", change(4, "1 16 1.0 2.0 1"), "line 5 of FILE: there is no part 16 of 15."),
        ("parts/part_locs.txt", change(4, "1 4 1.0 2.0 1"), "line 5 of FILE: part 4 of image 1 is there already."),
        ("parts/part_locs.txt", list.pop, "FILE has no line for part 15 of image 3: it has 44 of 15 x 3 = 45 lines."),
        (LABELS, change(313, "2 2 0"), "line 314 of FILE: it has 3 fields, and an attribute of an image has at least"),
        (LABELS, change(313, "2 2 0 x 1.0"), "line 314 of FILE: 'x' is no whole number."),
        (LABELS, change(313, "2 2 0 3.0 1.0"), "line 314 of FILE: '3.0' is no whole number."),
        (LABELS, change(313, "2 99999999999 0 3 1.0"), "line 314 of FILE: '99999999999' is no whole number."),
        (LABELS, change(313, "\0\0\0"), "line 314 of FILE: it has 1 fields"),
        (LABELS, change(313, "2 2 2 3 1.0"), "line 314 of FILE: is_present is 2, and not 0 or 1."),
        (LABELS, change(313, "2 2 1 0 1.0"), "line 314 of FILE: the certainty is 0, and not one of 1 to 4."),
        (LABELS, change(313, "4 2 1 4 1.0"), "line 314 of FILE: there is no image 4 of 3."),
        (LABELS, change(313, "2 313 1 4 1.0"), "line 314 of FILE: there is no attribute 313 of 312."),
        (LABELS, change(313, "1 2 1 4 1.0"), "line 314 of FILE: attribute 2 of image 1 is there already."),
        (LABELS, lambda lines: lines.pop(313), "FILE has no line for attribute 2 of image 2: it has 935 of 312 x 3 ="),
        (LABELS, list.clear, "FILE has no line for attribute 1 of image 1: it has 0 of 312 x 3 = 936 lines."),
        ("attributes/attributes.txt", list.pop, "FILE ends with attribute 311, and CUB-200-2011 has 312."),
        (
            "attributes/attributes.txt",
            change(9, "10 has_wing_color::azure"),
            "has no attribute 'has_wing_color::blue'",
        ),
        ("attributes/certainties.txt", list.reverse, None),
        ("attributes/certainties.txt", change(0, "1 guessing"), "has the levels guessing, guessing, probably, def"),
        (PERCENTAGES, list.pop, "FILE has 2 lines, and there are 3 classes."),
        (
            "attributes/class_attribute_labels_continuous.txt",
            change(1, "1.0 " * 311),
            "line 2 of FILE: it has 311 fields",
        ),
        (
            "attributes/class_attribute_labels_continuous.txt",
            change(1, "101 " * 312),
            "line 2 of FILE: a percentage is 101",
        ),
        (
            "attributes/class_attribute_labels_continuous.txt",
            change(1, "nan " * 312),
            "line 2 of FILE: a percentage is nan",
        ),
    ],
)
def test_what_is_damaged_is_named_by_file_and_line(
    name: str, damage: Callable[[list[str]], object], said: str | None, tree: Path
) -> None:
    before = read(tree)
    edit(tree / name, damage)
    if said is None:
        assert same(read(tree), before)
    else:
        assert said.replace("FILE", f"DIR/{name}") in refusal(tree)


def test_the_first_wrong_line_of_the_first_wrong_file_is_named(tree: Path) -> None:
    edit(tree / LABELS, lambda lines: lines.__setitem__(slice(400, 500), ["?"] * 100))
    assert refusal(tree).startswith(f"line 401 of DIR/{LABELS}: it has 1 fields")
    edit(tree / "parts/part_locs.txt", change(7, "?"))
    assert refusal(tree).startswith("line 8 of DIR/parts/part_locs.txt: it has 1 fields")
    (tree / "attributes/certainties.txt").unlink()
    assert refusal(tree) == "DIR/attributes/certainties.txt is missing."


def test_lines_are_counted_with_the_blank_ones(tree: Path) -> None:
    edit(
        tree / LABELS,
        lambda lines: lines.__setitem__(slice(0, 20), [*lines[:10], "", " ", *lines[10:19], "1 20 2 4"]),
    )
    assert refusal(tree).startswith(f"line 22 of DIR/{LABELS}: is_present is 2")


@pytest.mark.parametrize("name", sorted(Folder(path=Path(), help="").files))
def test_each_file_is_missed_by_name(name: str, tree: Path) -> None:
    path = Folder(path=tree, help=HELP).files[name]
    path.unlink()
    assert refusal(tree) == f"DIR/{path.relative_to(tree)} is missing."
    path.mkdir()
    assert refusal(tree) == f"DIR/{path.relative_to(tree)} is missing."


@pytest.mark.parametrize("name", sorted(Folder(path=Path(), help="").files))
def test_a_file_cut_anywhere_is_refused_by_name_but_within_the_last_text(name: str, tree: Path) -> None:
    before, path = read(tree), Folder(path=tree, help=HELP).files[name]
    whole = path.read_bytes()
    last = len(whole.rstrip().rpartition(b" ")[0]) + 1  # where the last field begins
    lengths = np.random.default_rng(3).integers(0, last, 6).tolist()
    for length in (0, 1, last - 2, *lengths):
        path.write_bytes(whole[:length])
        if name == "labels" and length > len(whole) - 12:
            continue  # the time is not read
        with pytest.raises(DataError) as error:
            read(tree)
        assert str(path) in str(error.value)
    path.write_bytes(whole[:-1])
    assert same(read(tree), before)


def test_a_file_that_must_not_be_read_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def refuse(self: Path, *given: Any, **named: Any) -> Any:
        if self == tree / "classes.txt":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(self, *given, **named)

    monkeypatch.setattr(Path, "open", refuse)  # root reads what it must not
    assert refusal(tree) == "DIR/classes.txt cannot be read: Permission denied."


def test_numbers_of_the_released_files_are_asked_for_unless_a_world_says_that_it_is_one(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reading.IMAGES * ATTRIBUTES == 3_677_856
    assert (reading.TRAINING, reading.IMAGES - reading.TRAINING, reading.SPECIES) == (5_994, 5_794, 200)
    (tree / "mtbench-world.json").unlink()
    world = "A smaller world in the same format has a file mtbench-world.json in its folder."
    assert refusal(tree) == f"DIR/classes.txt has 3 classes, and CUB-200-2011 has 200. {world}"
    monkeypatch.setattr(reading, "SPECIES", 3)
    assert refusal(tree) == f"DIR/images.txt has 3 images, and CUB-200-2011 has 11,788. {world}"
    monkeypatch.setattr(reading, "IMAGES", 3)
    assert refusal(tree) == f"DIR/train_test_split.txt has 2 images to train on, and CUB-200-2011 has 5,994. {world}"
    monkeypatch.setattr(reading, "TRAINING", 2)
    assert len(read(tree)) == 3


def test_nabirds_is_refused_for_what_it_is(tree: Path) -> None:
    edit(tree / "parts/parts.txt", lambda lines: lines.__setitem__(slice(11, None), []))
    said = refusal(tree)
    assert said.startswith("DIR/parts/parts.txt has 11 parts, and CUB-200-2011 has 15. Of CUB's there is no ")
    assert said.endswith("It is NABirds, whose files have the same names: 11 parts, 1,011 classes and no attributes.")
    shutil.rmtree(tree / "attributes")
    (tree / "hierarchy.txt").touch()
    said = refusal(tree)
    assert said.startswith("DIR/attributes/certainties.txt is missing. It is NABirds, ")


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ("CUB_200_2011/image_class_labels.txt", "Did you mean DIR/CUB_200_2011?"),
        ("lists/train.txt", "It is CUB-200 of 2010, with 6,033 images and no points of parts."),
        ("CUB_processed/train.pkl", "It is made of CUB-200-2011 for concept bottleneck models"),
        ("CUB_200_2011.tgz", "It is the archive; unpack it"),
        ("segmentations/001.Black_footed_Albatross/a.png", "It is the archive of CUB-200-2011's segmentations"),
        ("images/001.Black_footed_Albatross/a.jpg", "It has pictures and no annotations"),
        ("other.txt", ""),
    ],
)
def test_a_folder_that_is_taken_for_it_is_refused_for_what_it_is(there: str, said: str, tmp_path: Path) -> None:
    folder = tmp_path / "some"
    assert refusal(folder) == "DIR/parts/parts.txt is missing. DIR is no folder."
    (folder / there).parent.mkdir(parents=True)
    (folder / there).touch()
    assert refusal(folder).startswith(f"DIR/parts/parts.txt is missing. {said}".rstrip())


def test_numbers_of_long_tables_are_those_of_python(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    rows = draw.integers(0, 2**31, (5000, 4))
    tails = [" " * int(many) + " ".join(["7"] * int(many)) for many in draw.integers(0, 4, 5000)]
    lines = [" ".join(map(str, row)) + tail for row, tail in zip(rows.tolist(), tails, strict=True)]
    (tmp_path / "table").write_text("\n".join(lines))
    table = Table(path=tmp_path / "table", folder=tmp_path, help="")
    found = table.columns((int,) * 4, "a row")
    assert found.tolist() == [[int(text) for text in line.split()[:4]] for line in lines]
