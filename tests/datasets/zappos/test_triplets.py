"""Triplets: what each is of, who may be in them, and that the same ones are drawn every time."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from mtbench.contract import stream
from mtbench.errors import DataError
from mtbench_datasets.zappos.catalog import Catalog, far_apart, part_of
from mtbench_datasets.zappos.reading import Folder
from mtbench_datasets.zappos.triplets import choose_triplets, draw_triplets, list_sum
from tests.datasets.zappos.trees import HELP, many, write_lists, write_tree

COUNT = 90
TASKS = 4


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("shoes")
    write_tree(folder, many(COUNT))
    return Folder(path=folder, help=HELP).read()


def test_near_and_far_are_what_the_labels_say_for_each_task(catalog: Catalog) -> None:
    shoes = many(COUNT)
    lists = choose_triplets(catalog, ("train",), 300, public=False)
    assert [each.shape for each in lists] == [(300, 3)] * TASKS
    levels = {"Flat": 0, "Under 1in": 1, "2in - 2 3/4in": 3, "5in & over": 6}
    for task, (a, p, n) in ((task, each) for task, found in enumerate(lists) for each in found.tolist()):
        anchor, near, far = shoes[a], shoes[p], shoes[n]
        assert a != p
        if task == 0:
            assert anchor.category == near.category != far.category
        elif task == 1:
            assert anchor.closure.split(";")[0] == near.closure.split(";")[0] != far.closure.split(";")[0]
        elif task == 2:
            assert anchor.gender == near.gender
            assert not set(anchor.gender.split(";")) & set(far.gender.split(";"))
        else:
            assert levels[anchor.heel] == levels[near.heel]
            assert abs(levels[anchor.heel] - levels[far.heel]) >= 2


def test_shoes_for_men_and_women_are_neither_near_to_those_for_men_nor_far_from_them() -> None:
    far = far_apart(2, ("Men", "Men;Women", "Women"))
    assert far.tolist() == [[False, False, True], [False, False, False], [True, False, False]]


def test_heels_that_differ_by_one_level_are_neither_near_nor_far() -> None:
    assert far_apart(3, ("0", "1", "3")).tolist() == [[False, False, True], [False, False, True], [True, True, False]]


def test_pictures_of_the_parts_are_disjoint_and_a_picture_s_part_depends_on_its_path_alone(catalog: Catalog) -> None:
    names = ("train", "val", "test")
    parts = [set(torch.cat(choose_triplets(catalog, (part,), 400, public=False)).flatten().tolist()) for part in names]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    for part, rows in zip(("train", "val", "test"), parts, strict=True):
        assert {part_of(catalog.names[row]) for row in rows} == {part}


def test_about_seven_tenths_are_to_train_on_one_to_validate_on_and_two_to_test_on() -> None:
    found = [part_of(f"Shoes/Oxfords/Maker/{number}.1.jpg") for number in range(20_000)]
    for part, fraction in (("train", 0.7), ("val", 0.1), ("test", 0.2)):
        assert found.count(part) / len(found) == pytest.approx(fraction, abs=0.012)  # more than 3.7 deviations


def test_the_same_lists_come_every_time_and_others_for_each_task_and_part(catalog: Catalog) -> None:
    first = choose_triplets(catalog, ("train",), 50, public=False)
    torch.manual_seed(7)
    again = choose_triplets(catalog, ("train",), 50, public=False)
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    assert list_sum(first, catalog.names) == "41ba676dcae0be314d689a71df5845d88b60b163f0e07d966a3d741b6b3f71c4"


def test_a_sum_goes_by_the_paths_of_pictures_and_not_by_their_numbers() -> None:
    triplets = [torch.tensor([[0, 1, 2]])]
    assert list_sum(triplets, ("a", "b", "c")) == list_sum([torch.tensor([[1, 2, 0]])], ("c", "a", "b"))
    assert list_sum(triplets, ("a", "b", "c")) != list_sum([torch.tensor([[0, 2, 1]])], ("a", "b", "c"))


def test_each_triplet_that_there_is_comes_equally_often_given_its_anchor() -> None:
    classes = torch.tensor([0, 1, 0, 2, 0, -1, 1])
    far = torch.tensor([[0, 1, 1], [1, 0, 0], [1, 0, 0]], dtype=torch.bool)
    rows = torch.arange(7)
    found = draw_triplets(classes, far, rows, 60_000, stream(0, "test"))
    # Anchors: 0, 2 and 4 with two near and three far each; 1 and 6 with one near and three far; 3 has none near.
    expected = {(a, p, n): 1 / 5 / 2 / 3 for a in (0, 2, 4) for p in {0, 2, 4} - {a} for n in (1, 3, 6)}
    expected |= {(a, p, n): 1 / 5 / 3 for a, p in ((1, 6), (6, 1)) for n in (0, 2, 4)}
    counts = Counter((a, p, n) for a, p, n in found.tolist())
    assert set(counts) == set(expected)
    for triplet, count in counts.items():
        assert count / len(found) == pytest.approx(expected[triplet], rel=0.12)


def test_where_nothing_is_far_there_is_no_triplet() -> None:
    none = draw_triplets(torch.tensor([0, 0, 1]), torch.zeros(2, 2, dtype=torch.bool), torch.arange(3), 5, stream(0))
    assert none.shape == (0, 3)


def test_a_task_without_a_triplet_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, [shoe for shoe in many(60) if shoe.category == "Boots"])
    catalog = Folder(path=tmp_path, help=HELP).read()
    with pytest.raises(DataError, match=r"far by Category: no triplet can be drawn for the task category\."):
        choose_triplets(catalog, ("train",), 5, public=False)


def test_public_lists_are_cut_to_the_length_of_the_shortest_and_chosen_from_at_random(tmp_path: Path) -> None:
    shoes = many(24)
    write_tree(tmp_path, shoes)
    lines = {
        "class": [(0, 1, 4 * k) for k in range(1, 6)],
        "closure": [(0, 1, 3 * k) for k in range(1, 8)],
        "gender": [(0, 2, 1)] * 4,
        "heel": [(0, 2, 5)] * 9,
    }
    write_lists(tmp_path, [shoe.path for shoe in shoes], lambda condition, _: lines[condition])
    catalog = Folder(path=tmp_path, help=HELP).read()
    found = choose_triplets(catalog, ("test",), 100, public=True)
    assert [each.shape for each in found] == [(4, 3)] * TASKS
    chosen = found[0].tolist()
    assert len({tuple(each) for each in chosen}) == 4
    assert {tuple(each) for each in chosen} < {(0, near, 1) for near in (4, 8, 12, 16, 20)}
    assert found[3].tolist() == [[0, 5, 2]] * 4
