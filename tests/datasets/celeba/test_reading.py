"""The files of CelebA as released, as others lay them out, damaged, and of other datasets."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mtbench.errors import DataError
from mtbench_datasets.celeba import reading
from mtbench_datasets.celeba.annotations import Annotations
from mtbench_datasets.celeba.reading import LAYOUT, SPLITS, Folder
from mtbench_datasets.celeba.vocabulary import EIGHT, SEVEN, TWENTY
from tests.datasets.celeba.trees import HELP, MANIFEST, NAMES, edit, put, random_rows, write_tree

ROWS = random_rows(8)
PARTS = [0, 0, 0, 0, 0, 1, 2, 2]
ATTRIBUTES, PARTITION = "list_attr_celeba.txt", "list_eval_partition.txt"
Change = Callable[[list[str]], None]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small world's folder that may be damaged."""
    return write_tree(tmp_path / "celeba", ROWS, PARTS)


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without the manifest of a world, where CelebA is as small as it is."""
    monkeypatch.setattr(reading, "SPLITS", {"train": 5, "val": 1, "test": 2})
    return write_tree(tmp_path / "celeba", ROWS, PARTS, world=False)


def read(folder: Path) -> Annotations:
    return Folder(path=folder, help=HELP).read()


def refusal(folder: Path, *, check: bool = False) -> str:
    """Return what is said of the folder, without the layout and the help that end every refusal."""
    with pytest.raises(DataError) as error:
        Folder(path=folder, help=HELP).check() if check else read(folder)
    end = f" {LAYOUT} {HELP}"
    assert str(error.value).endswith(end)
    return str(error.value).removesuffix(end).replace(str(folder), "DIR")


@pytest.mark.parametrize("layout", ["flat", "official", "png", "kaggle"])
def test_each_layout_is_read_the_same(layout: str, tmp_path: Path) -> None:
    folder = Folder(path=write_tree(tmp_path / "celeba", ROWS, PARTS, layout), help=HELP)
    folder.check()
    found = folder.read()
    assert found.attributes.int().mul(2).sub(1).tolist() == ROWS
    assert found.part.tolist() == PARTS
    assert found.rows("test").tolist() == [6, 7]
    assert found.has("Smiling").tolist() == [row[NAMES.index("Smiling")] == 1 for row in ROWS]
    assert all(path.is_file() for path in folder.pictures(8))
    assert [path.stem for path in folder.pictures(8)] == [f"{number:06d}" for number in range(1, 9)]
    assert found.remarks == ()


def test_the_attributes_of_papers_are_among_the_forty() -> None:
    # By the numbers that Zhao et al.'s code has for them.
    numbers = [31, 0, 4, 1, 13, 14, 19, 16, 22, 24, 30, 5, 32, 33, 28, 3, 12, 39, 25, 21]
    assert [NAMES[number] for number in numbers] == list(TWENTY)
    assert [NAMES.index(name) for name in SEVEN] == [31, 25, 0, 4, 1, 6, 7]
    assert set(EIGHT) <= set(NAMES)
    assert len({*TWENTY}) == 20


def test_line_ends_and_a_mark_of_byte_order_of_other_systems_do_not_matter(tree: Path) -> None:
    path = tree / ATTRIBUTES
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(tree).attributes.int().mul(2).sub(1).tolist() == ROWS


def test_a_png_list_of_names_is_read_too(tree: Path) -> None:
    for name in (ATTRIBUTES, PARTITION):
        path = tree / name
        path.write_text(path.read_text().replace(".jpg", ".png"))
    assert len(read(tree)) == 8


def _replace(old: str, new: str, line: int) -> Change:
    def change(lines: list[str]) -> None:
        assert old in lines[line - 1]
        lines[line - 1] = lines[line - 1].replace(old, new, 1)

    return change


def _delete(line: int) -> Change:
    return lambda lines: lines.__delitem__(line - 1)


def _swap(line: int) -> Change:
    def change(lines: list[str]) -> None:
        lines[line - 1], lines[line] = lines[line], lines[line - 1]

    return change


SAID: dict[str, tuple[str, Change, str]] = {
    "a missing column": (
        ATTRIBUTES,
        _replace("Smiling ", "", 2),
        "line 2 of DIR/list_attr_celeba.txt: there is no attribute Smiling; 39 names are given.",
    ),
    "a name that is none": (
        ATTRIBUTES,
        _replace("Young", "Young Old", 2),
        "line 2 of DIR/list_attr_celeba.txt: there is no attribute Old in CelebA; 41 names are given.",
    ),
    "another order": (
        ATTRIBUTES,
        _replace("Arched_Eyebrows Attractive", "Attractive Arched_Eyebrows", 2),
        "line 2 of DIR/list_attr_celeba.txt: attribute 2 is Attractive, and not Arched_Eyebrows; 40 names are given.",
    ),
    "a name twice": (
        ATTRIBUTES,
        _replace("Young", "Young Young", 2),
        "line 2 of DIR/list_attr_celeba.txt: attribute 41 is Young, and CelebA has 40; 41 names are given.",
    ),
    "no count": (
        ATTRIBUTES,
        _delete(1),
        "line 1 of DIR/list_attr_celeba.txt: '5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes ' is not the "
        "number of images.",
    ),
    "a wrong count": (
        ATTRIBUTES,
        _replace("8", "202599", 1),
        "line 1 of DIR/list_attr_celeba.txt says that there are 202,599 images, and 8 follow. It is truncated, half "
        "copied or damaged.",
    ),
    "a value missing": (
        ATTRIBUTES,
        lambda lines: lines.__setitem__(4, lines[4].rsplit(" ", 1)[0]),
        "line 5 of DIR/list_attr_celeba.txt: it has 39 values for 40 attributes.",
    ),
    "a zero": (
        ATTRIBUTES,
        lambda lines: lines.__setitem__(3, lines[3].rsplit(" ", 1)[0] + " 0"),
        "line 4 of DIR/list_attr_celeba.txt: Young is '0', and not 1 or -1.",
    ),
    "an image left out": (
        ATTRIBUTES,
        _delete(6),
        "line 6 of DIR/list_attr_celeba.txt: 000005.jpg stands where 000004.jpg is to be.",
    ),
    "two images exchanged": (
        PARTITION,
        _swap(2),
        "line 2 of DIR/list_eval_partition.txt: 000003.jpg stands where 000002.jpg is to be.",
    ),
    "a part that is none": (
        PARTITION,
        _replace(" 1", " 3", 6),
        "line 6 of DIR/list_eval_partition.txt: '3' is not 0 to train, 1 to validate or 2 to test.",
    ),
    "a part missing": (
        PARTITION,
        _replace(" 2", "", 8),
        "line 8 of DIR/list_eval_partition.txt: '' is not 0 to train, 1 to validate or 2 to test.",
    ),
    "lists of two lengths": (
        PARTITION,
        _delete(8),
        "DIR/list_eval_partition.txt has 7 images, and DIR/list_attr_celeba.txt has 8. One of them is truncated, half "
        "copied or of another dataset.",
    ),
    "no images": (PARTITION, lambda lines: lines.clear(), "DIR/list_eval_partition.txt has no images."),
}


@pytest.mark.parametrize("fault", SAID)
def test_a_fault_is_named_by_file_and_line(fault: str, tree: Path) -> None:
    name, change, said = SAID[fault]
    edit(tree / name, change)
    assert refusal(tree) == said


def test_a_file_name_with_minus_one_in_it_is_not_changed(tree: Path) -> None:
    """A released loader replaces -1 by 0 on the whole line."""
    assert read(tree).attributes.shape == (8, 40)
    edit(tree / ATTRIBUTES, _replace("000003.jpg", "img-1.jpg", 5))
    assert "line 5 of DIR/list_attr_celeba.txt: img-1.jpg stands where 000003.jpg is to be." in refusal(tree)


def test_the_released_lists_have_their_numbers_of_images(tmp_path: Path) -> None:
    assert SPLITS == {"train": 162_770, "val": 19_867, "test": 19_962}
    folder = write_tree(tmp_path / "celeba", ROWS, PARTS, world=False)
    assert refusal(folder) == (
        "DIR/list_attr_celeba.txt has 8 images, and CelebA has 202,599. A smaller world in the same format has a file "
        f"{MANIFEST} in its folder."
    )


def test_the_released_images_are_in_their_parts(released: Path) -> None:
    assert read(released).part.tolist() == PARTS
    edit(released / PARTITION, _replace(" 0", " 1", 5))
    assert refusal(released) == (
        "line 5 of DIR/list_eval_partition.txt: 000005.jpg is in part 1, and in CelebA it is in part 0."
    )


def test_a_mirror_with_other_sums_is_reported_and_read(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [remark.partition(" is of")[0] for remark in read(released).remarks] == [ATTRIBUTES, PARTITION]
    sums = {
        key: hashlib.md5((released / name).read_bytes()).hexdigest()
        for key, name in (("attributes", ATTRIBUTES), ("partition", PARTITION))
    }
    monkeypatch.setattr(reading, "SUMS", sums)
    assert read(released).remarks == ()
    (released / ATTRIBUTES).write_text((released / ATTRIBUTES).read_text() + "\n")
    [remark] = read(released).remarks
    assert remark == (
        f"{ATTRIBUTES} is of another mirror: its MD5 is not the released {sums['attributes']}, while counts, names and "
        "order are right"
    )


def test_csv_twins_are_read_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SPLITS", {"train": 5, "val": 1, "test": 2})
    found = read(write_tree(tmp_path / "celeba", ROWS, PARTS, "kaggle", world=False))
    assert found.attributes.int().mul(2).sub(1).tolist() == ROWS
    assert [remark.partition(" is read")[0] for remark in found.remarks] == [
        "list_attr_celeba.csv",
        "list_eval_partition.csv",
    ]


@pytest.mark.parametrize("name", [ATTRIBUTES, PARTITION])
def test_a_missing_list_is_named(name: str, tree: Path) -> None:
    (tree / name).unlink()
    assert refusal(tree, check=True) == f"DIR/{name} is missing."
    assert refusal(tree) == f"DIR/{name} is missing."


def test_missing_pictures_are_named(tree: Path) -> None:
    shutil.rmtree(tree / "img_align_celeba")
    assert refusal(tree, check=True) == "DIR/img_align_celeba/000001.jpg is missing."


def test_a_world_has_a_size_in_its_manifest(tree: Path) -> None:
    assert Folder(path=tree, help=HELP).size == (22, 18)
    (tree / MANIFEST).write_text('{"size": 3}')
    with pytest.raises(DataError, match=r"mtbench-world\.json has no size of the pictures\. Expected: \{\"size\""):
        _ = Folder(path=tree, help=HELP).size
    (tree / MANIFEST).unlink()
    assert Folder(path=tree, help=HELP).size == (218, 178)


LOOKALIKES = {
    "CelebAMask-HQ-attribute-anno.txt": "It is CelebAMask-HQ, with 30,000 pictures",
    "img_celeba/000001.jpg": "It has the pictures in the wild, img_celeba; the aligned ones",
    "img_align_celeba.zip": "It has archives; unpack those of the aligned pictures",
    "Img/img_align_celeba_png.7z/img_align_celeba_png.7z.001": "It has archives; unpack",
    "img_align_celeba/000001.jpg": "It has pictures and no annotations",
    "CelebA/Anno/list_attr_celeba.txt": "Did you mean DIR/CelebA?",
    "celeba/list_attr_celeba.csv": "Did you mean DIR/celeba?",
}


@pytest.mark.parametrize("file", LOOKALIKES)
def test_a_folder_that_only_looks_like_it_is_refused_with_a_sentence(file: str, tmp_path: Path) -> None:
    put(tmp_path / "folder" / file, "")
    said = refusal(tmp_path / "folder", check=True)
    assert said.startswith(f"DIR/list_attr_celeba.txt is missing. {LOOKALIKES[file]}")


def test_of_a_whole_folder_with_other_files_beside_it_nothing_else_is_said(tmp_path: Path) -> None:
    """All that the authors give, unpacked in place: pictures in the wild and archives are not the fault."""
    folder = write_tree(tmp_path / "celeba", ROWS, PARTS, "official")
    for file in ("Img/img_celeba/000001.jpg", "Img/img_align_celeba.zip", "Img/img_celeba.7z/img_celeba.7z.001"):
        put(folder / file, "")
    edit(folder / "Anno" / ATTRIBUTES, _delete(3))
    assert refusal(folder) == "line 3 of DIR/Anno/list_attr_celeba.txt: 000002.jpg stands where 000001.jpg is to be."
    (folder / "Eval" / PARTITION).unlink()
    assert refusal(folder, check=True) == "DIR/list_eval_partition.txt is missing."


def test_a_folder_that_is_not_there_is_no_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none", check=True).endswith("DIR is no folder.")


def test_equal_annotations_have_equal_sums_wherever_they_lie(tree: Path, tmp_path: Path) -> None:
    other = write_tree(tmp_path / "other", ROWS, PARTS, "kaggle")
    assert read(tree).digest() == read(other).digest()
    changed = write_tree(tmp_path / "changed", [[-row[0], *row[1:]] for row in ROWS], PARTS)
    assert read(tree).digest() != read(changed).digest()
    assert torch.equal(read(tree).part, read(changed).part)
