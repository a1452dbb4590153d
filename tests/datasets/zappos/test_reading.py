"""The files of UT-Zappos50K with each of their quirks, on small trees made by hand."""

from pathlib import Path

import pytest
import scipy.io

from mtbench.errors import DataError
from mtbench_datasets.zappos import tables
from mtbench_datasets.zappos.catalog import Catalog
from mtbench_datasets.zappos.reading import Folder
from mtbench_datasets.zappos.vocabulary import heel_level
from tests.datasets.zappos.trees import HEAD, HELP, Made, many, write_lists, write_paths, write_tree

HEELS = ["Flat", "Under 1in", "1in - 1 3/4in", "2in - 2 3/4in", "3in - 3 3/4in", "4in - 4 3/4in", "5in & over"]
GOOD = {"class": (0, 1, 4), "closure": (0, 1, 3), "gender": (0, 2, 1), "heel": (0, 2, 5)}
"""For each condition a shoe of `many`, one that is far from it and one that is near."""


def good(condition: str, _: str) -> list[tuple[int, int, int]]:
    return [GOOD[condition]]


def read(folder: Path) -> Catalog:
    return Folder(path=folder, help=HELP).read()


def value(catalog: Catalog, row: int, task: int) -> str:
    index = int(catalog.classes[row, task])
    return catalog.values[task][index] if index >= 0 else ""


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as error:
        read(folder)
    assert str(error.value).endswith(HELP)
    return str(error.value)


def remark(catalog: Catalog, begin: str) -> str:
    return next(line for line in catalog.remarks if line.startswith(begin))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write_tree(tmp_path, many(12))
    return tmp_path


def data(folder: Path, name: str) -> Path:
    return folder / "ut-zap50k-data" / name


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_heights_of_heels_are_seven_levels_and_other_words_are_unknown() -> None:
    assert [heel_level(text) for text in HEELS] == list("0123456")
    assert heel_level("1in - 1 3/4in;Flat") == "2"
    assert [heel_level(text) for text in ("", "High heel", "12in", "Flatform")] == [""] * 4


def test_folders_are_found_under_the_spellings_of_both_archives_and_counted(tmp_path: Path) -> None:
    shoes = [
        Made(path="Shoes/Oxfords/Exact/1.1.jpg"),
        Made(path="Shoes/Oxfords/W.A.G./2.2.jpg", disk="Shoes/Oxfords/W.A.G/2.2.jpg"),
        Made(path="Shoes/Oxfords/L.A.M.B./3.3.jpg", disk="Shoes/Oxfords/L.A.M.B%2E/3.3.jpg"),
        Made(path="Shoes/Oxfords/Neil M./8.8.jpg", disk="Shoes/Oxfords/Neil M%2E/8.8.jpg"),
        Made(path="Shoes/Oxfords/Levi's /4.4.jpg", disk="Shoes/Oxfords/Levi's&#174; /4.4.jpg"),
        Made(path="Shoes/Flats/Levi's /5.5.jpg", disk="Shoes/Flats/Levi's&#174;/5.5.jpg"),
        # Both spellings are there: the picture decides.
        Made(path="Shoes/Heels/Levi's/6.6.jpg"),
        Made(path="Shoes/Heels/Levi's/7.7.jpg", disk="Shoes/Heels/Levi's&#174;/7.7.jpg"),
    ]
    write_tree(tmp_path, shoes)
    catalog = read(tmp_path)
    assert catalog.files == tuple(f"ut-zap50k-images/{shoe.disk or shoe.path}" for shoe in shoes)
    assert catalog.names == tuple(shoe.path for shoe in shoes)
    assert remark(catalog, "paths of image-path.mat") == (
        "paths of image-path.mat that are spelt otherwise on disk, and were found: 6 (a dot at the end is missing 1; a "
        "dot is written %2E 2; a sign is written as in HTML 3)"
    )


def test_a_picture_that_is_listed_and_absent_is_named_with_its_place_in_the_list(tree: Path) -> None:
    for name in ("103.3", "105.5"):
        next(tree.rglob(f"{name}.jpg")).unlink()
    assert "imagepath[4] of " in refusal(tree)
    assert "lists Slippers/Kind/Maker 0/103.3.jpg, which is not in " in refusal(tree)
    assert "; 2 of 12 pictures are not." in refusal(tree)


def test_equal_base_names_in_two_folders_keep_their_own_rows(tmp_path: Path) -> None:
    shoes = [
        Made(path="Boots/Ankle/One/7.1.jpg", category="Boots", gender="Women"),
        Made(path="Shoes/Heels/Two/7.1.jpg", category="Shoes", gender="Girls"),
        Made(path="Boots/Ankle/Three/7.1.jpg", category="Boots", gender="Men"),
    ]
    write_tree(tmp_path, shoes)
    catalog = read(tmp_path)
    assert [value(catalog, row, 2) for row in range(3)] == ["Women", "Girls", "Men"]
    assert [value(catalog, row, 0) for row in range(3)] == ["Boots", "Shoes", "Boots"]


def test_lists_of_values_are_taken_apart_and_never_searched_for_parts_of_words(tmp_path: Path) -> None:
    shoes = [
        Made(path="Shoes/A/B/1.1.jpg", gender="Women", closure="Slip-On;Lace up"),
        Made(path="Shoes/A/B/2.2.jpg", gender="Women;Men", closure="Lace up"),
        Made(path="Shoes/A/B/3.3.jpg", gender="Men;Women", closure="", heel="High heel"),
    ]
    write_tree(tmp_path, shoes)
    catalog = read(tmp_path)
    assert catalog.values[2] == ("Men;Women", "Women")
    assert [value(catalog, row, 2) for row in range(3)] == ["Women", "Men;Women", "Men;Women"]
    assert [value(catalog, row, 1) for row in range(3)] == ["Slip-On", "Lace up", ""]
    assert remark(catalog, "heel") == "heel: known of 2 of 3 pictures, not read: High heel"
    assert remark(catalog, "closure") == "closure: known of 2 of 3 pictures"


def test_archives_that_are_unpacked_into_each_other_are_found(tmp_path: Path) -> None:
    shoes = many(4)
    inside = "ut-zap50k-images-square/ut-zap50k-images-square"
    layouts = [
        ("ut-zap50k-images/ut-zap50k-images", "ut-zap50k-data"),
        ("ut-zap50k-images/images", "ut-zap50k-data/ut-zap50k-data"),
        (inside, f"{inside}/ut-zap50k-data"),
        (".", "data"),
    ]
    for number, (pictures, place) in enumerate(layouts):
        folder = tmp_path / str(number)
        write_tree(folder, shoes, pictures=pictures, data=place)
        begin = "" if pictures == "." else f"{pictures}/"
        assert read(folder).files == tuple(begin + shoe.path for shoe in shoes)


def test_pictures_are_preferred_to_square_ones(tree: Path) -> None:
    write_tree(tree, many(12), pictures="a-square/a")
    assert read(tree).files[0].startswith("ut-zap50k-images/")


def test_a_table_in_a_folder_of_its_own_name_is_found(tree: Path) -> None:
    table = data(tree, "meta-data.csv")
    moved = table.rename(table.with_suffix(".old"))
    table.mkdir()
    moved.rename(table / "meta-data.csv")
    assert len(read(tree)) == 12


def test_paths_are_read_from_cells_and_from_a_matrix_of_characters(tree: Path) -> None:
    names = read(tree).names
    scipy.io.savemat(data(tree, "image-path.mat"), {"imagepath": list(names)})  # of unequal lengths: filled with blanks
    assert read(tree).names == names
    write_paths(data(tree, "image-path.mat"), names, do_compression=True)
    assert read(tree).names == names


def test_a_truncated_mat_file_is_named_at_any_length(tree: Path) -> None:
    path = data(tree, "image-path.mat")
    for compressed in (False, True):
        write_paths(path, read(tree).names, do_compression=compressed)
        whole = path.read_bytes()
        for length in (0, 60, 128, 140, 300, len(whole) // 2, len(whole) - 20):
            path.write_bytes(whole[:length])
            assert f"{path} is truncated, damaged or no MATLAB file" in refusal(tree)
        path.write_bytes(whole)


def test_another_variable_and_what_is_no_path_are_named_by_field(tree: Path) -> None:
    path = data(tree, "image-path.mat")
    scipy.io.savemat(path, {"mturkOrder": [[1, 2]]})
    assert "has no variable 'imagepath'; its variables: mturkOrder." in refusal(tree)
    write_paths(path, ["Shoes/A/B/1.1.jpg", "2.2.jpg"])
    assert f"imagepath[2] of {path} is " in refusal(tree)
    write_paths(path, ["Shoes/A/B/1.1.jpg", "Shoes/A/B/1.2.jpg", "Shoes/A/B/1.1.jpg"])
    assert f"imagepath[3] of {path} is Shoes/A/B/1.1.jpg, as imagepath[1] of " in refusal(tree)


def test_a_table_without_a_head_is_read(tree: Path) -> None:
    before = read(tree)
    edit(data(tree, "meta-data.csv"), f"{HEAD}\n", "")
    assert (read(tree).classes == before.classes).all()


def test_columns_are_found_by_name_and_a_missing_one_is_named(tree: Path) -> None:
    before = read(tree)
    path = data(tree, "meta-data.csv")
    lines = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("\n".join(",".join([line[0], *line[:0:-1]]) for line in lines))
    assert (read(tree).classes == before.classes).all()
    edit(path, "Closure", "Fastening")
    assert f"line 1 of {path} has no column Closure; its columns: CID, ToeStyle," in refusal(tree)


def test_a_line_that_lacks_a_cell_is_named(tree: Path) -> None:
    path = data(tree, "meta-data.csv")
    edit(path, "103-3,Slippers,", "103-3,")
    assert f"line 5 of {path} has 8 cells, and there are 9 columns." in refusal(tree)


def test_one_row_of_another_cid_is_told_and_a_shifted_table_is_refused(tree: Path) -> None:
    path = data(tree, "meta-data.csv")
    edit(path, "103-3,", "103-9,")
    assert remark(read(tree), "rows of meta-data.csv whose CID").endswith("1, the first 103-9 for " + many(4)[3].path)
    head, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, *rest, first]))
    assert f"line 2 of {path} is of 101-1, and picture 1 of image-path.mat is Shoes/Kind" in refusal(tree)


def test_one_row_too_few_or_too_many_is_told_and_leaves_the_others_where_they_belong(tree: Path) -> None:
    before = read(tree)
    path = data(tree, "meta-data.csv")
    head, first, second, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, first, *rest]))
    catalog = read(tree)
    assert (catalog.classes[2:] == before.classes[2:]).all()
    assert catalog.classes[1].tolist() == [-1] * 4
    assert remark(catalog, "meta-data.csv has 11 rows for 12 pictures").endswith(
        "1 pictures without a row, whose labels are unknown, 0 rows without a picture"
    )
    path.write_text("\n".join([head, "9-9,Shoes,Oxfords,Flat,,Zipper,Men,,", first, second, *rest]))
    assert (read(tree).classes == before.classes).all()
    path.write_text("\n".join([head, first, *rest[2:]]))
    assert (
        "has 9 rows, and image-path.mat lists 12 pictures; 3 of these have no row with their CID, the first"
        in refusal(tree)
    )


def test_equal_cids_are_joined_in_order_where_a_row_is_missing(tmp_path: Path) -> None:
    shoes = [
        Made(path="Boots/A/B/7.1.jpg", gender="Women"),
        Made(path="Shoes/A/B/8.1.jpg", gender="Boys"),
        Made(path="Shoes/A/B/7.1.jpg", gender="Girls"),
    ]
    write_tree(tmp_path, shoes)
    edit(data(tmp_path, "meta-data.csv"), shoes[1].row + "\n", "")
    assert [value(read(tmp_path), row, 2) for row in range(3)] == ["Women", "", "Girls"]


def test_folders_and_categories_that_disagree_are_counted(tree: Path) -> None:
    edit(data(tree, "meta-data.csv"), "103-3,Slippers,", "103-3,Boots,")
    assert remark(read(tree), "pictures in the folder of another category").endswith(
        "1, the first " + many(4)[3].path + ", Boots"
    )


def test_the_released_dataset_has_a_known_number_of_pictures(tmp_path: Path) -> None:
    write_tree(tmp_path, many(3), world=False)
    assert "lists 3 pictures, and UT-Zappos50K has 50,025. A smaller world" in refusal(tmp_path)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no folder with Boots, Sandals, Shoes or Slippers\. UT-Zappos50K is a"):
        Folder(path=tmp_path, help=HELP).check()
    write_tree(tmp_path, many(3))
    data(tmp_path, "meta-data.csv").unlink()
    with pytest.raises(DataError, match=r"meta-data\.csv is missing\."):
        Folder(path=tmp_path, help=HELP).check()


def test_public_lists_are_anchor_far_close(tree: Path) -> None:
    names = [shoe.path for shoe in many(12)][::-1]  # an order of its own
    at = {name: number for number, name in enumerate(names)}
    shoes = many(12)

    def lines(condition: str, _: str) -> list[list[int]]:
        return [[at[shoes[row].path] for row in GOOD[condition]]]

    write_lists(tree / "data", names, lines)
    catalog = read(tree)
    tasks = ("category", "closure", "gender", "heel")
    assert set(catalog.lists) == {f"{part}-{task}" for part in ("train", "val", "test") for task in tasks}
    assert catalog.lists["test-category"].tolist() == [[0, 4, 1]]
    assert remark(catalog, "class_tripletlist_test.txt") == (
        "class_tripletlist_test.txt: 1 public triplets; of a sample 1 agree with the labels and 0 contradict them"
    )


def test_public_lists_the_other_way_round_are_refused(tree: Path) -> None:
    turned = {condition: (anchor, near, far) for condition, (anchor, far, near) in GOOD.items()}
    write_lists(tree, [shoe.path for shoe in many(12)], lambda condition, _: [turned[condition]])
    message = refusal(tree)
    assert "class_tripletlist_train.txt: of its triplets, as far as labels decide, 0 have their third" in message
    assert "nearer to the first and 1 their second. Lines are to be anchor, far, close." in message


def test_a_wrong_line_of_a_public_list_is_named(tree: Path) -> None:
    write_lists(tree, [shoe.path for shoe in many(12)], good)
    path = tree / "tripletlists" / "heel_tripletlist_val.txt"
    path.write_text("0 2 5\n0 1 12\n")
    assert f"line 2 of {path}: there is no picture 12; {tree / 'filenames.json'} names 12, from 0." in refusal(tree)
    for wrong in ("0 1", "0 1 4 5", "0 1 x", "0 -1 4", "0 1.5 4"):
        path.write_text(f"0 1 4\n{wrong}\n")
        assert f"line 2 of {path}: {wrong!r} is not three indices of pictures." in refusal(tree)
    path.write_text("")
    assert f"{path} has no triplets." in refusal(tree)


def test_a_public_list_may_name_an_unknown_picture_as_long_as_no_triplet_has_it(tree: Path) -> None:
    names = [*(shoe.path for shoe in many(12)), "Boots/Mid-Calf/Pablosky Kids/8029595.574.jpg"]
    write_lists(tree, names, good)
    assert len(read(tree).lists) == 12
    path = tree / "tripletlists" / "closure_tripletlist_test.txt"
    path.write_text("0 1 3\n0 12 3\n")
    assert (
        f"triplet 2 of {path} has picture 12, Boots/Mid-Calf/Pablosky Kids/8029595.574.jpg in line 13 of "
        "filenames.json, which image-path.mat does not list. Triplets can be generated instead"
    ) in refusal(tree)


def test_what_is_no_text_is_named_by_its_line(tree: Path) -> None:
    path = data(tree, "meta-data.csv")
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:4], b"\xff" + lines[4], *lines[5:]]))
    assert f"line 5 of {path} is no text in UTF-8: invalid start byte." in refusal(tree)
    path.write_bytes(b"\n".join([*lines[:6], lines[6] + b"x" * 131_073]))
    assert f"line 7 of {path} cannot be read: field larger than field limit" in refusal(tree)


@pytest.mark.parametrize("name", ["meta-data.csv", "image-path.mat"])
def test_a_file_that_cannot_be_read_is_named_with_the_reason(name: str, tree: Path) -> None:
    path = data(tree, name)
    reader = tables.read_paths if name.endswith(".mat") else lambda path, help: tables.read_cells(path, ["CID"], help)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=rf"^{path} cannot be read: Is a directory\."):
        reader(path, HELP)
