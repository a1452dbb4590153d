"""Classes and points of the 12 tasks, from annotations made by hand."""

import itertools
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from mtbench_datasets.cub.annotations import label, several
from mtbench_datasets.cub.dataset import Cub200
from mtbench_datasets.cub.vocabulary import GROUPS, PARTS
from tests.datasets.cub.trees import COLORS, TASKS, Bird, attributes, read

UNKNOWN = 15
BLUE, BROWN, RED, BUFF = (COLORS.index(color) for color in ("blue", "brown", "red", "buff"))


def classes(
    folder: Path, multi: str, *birds: Bird, percentages: Mapping[tuple[int, str], float] | None = None
) -> list[dict[str, int]]:
    """Per bird the class of each task by its name."""
    found = read(folder, *birds, percentages=percentages).labels(multi)
    return [dict(zip(TASKS, row, strict=True)) for row in found.tolist()]


def test_tasks_are_the_columns_of_the_papers_table_with_16_classes() -> None:
    tasks = Cub200.tasks
    assert [task.name for task in tasks] == TASKS
    assert {task.kind.output_size for task in tasks} == {16}
    assert {task.answers for task in tasks} == {(*COLORS, "unknown")}


def test_attributes_are_numbered_as_in_the_released_file() -> None:
    """Numbers of the first and the last attribute of the twelve groups, from the released attributes.txt."""
    ranges = {
        "wing": (10, 24),
        "back": (59, 73),
        "upper_tail": (80, 94),
        "breast": (106, 120),
        "throat": (121, 135),
        "eye": (136, 149),
        "forehead": (153, 167),
        "nape": (183, 197),
        "belly": (198, 212),
        "leg": (264, 278),
        "bill": (279, 293),
        "crown": (294, 308),
    }
    names = attributes()
    assert len(names) == 312
    for part, (first, last) in ranges.items():
        assert names[first - 1] == f"has_{part}_color::blue"
        assert names[last - 1] == f"has_{part}_color::buff"


def test_each_color_of_each_part_is_its_class_and_of_no_other_part(tmp_path: Path) -> None:
    names = [group.attribute.removeprefix("has_") for group in GROUPS]
    marked = [(place, name, color) for place, name in enumerate(names) for color in COLORS]
    marked.remove((TASKS.index("eye"), "eye_color", "iridescent"))
    assert len(marked) == 12 * 15 - 1
    found = read(tmp_path, *(Bird(marked={f"{name}::{color}": 4}) for _, name, color in marked)).labels("certainty")
    for row, (place, _, color) in zip(found.tolist(), marked, strict=True):
        expected = [UNKNOWN] * 12
        expected[place] = COLORS.index(color)
        assert row == expected


def test_the_eye_has_no_iridescent_and_the_numbers_of_the_others(tmp_path: Path) -> None:
    eyes = [name for name in attributes() if "_eye_color::" in name]
    assert len(eyes) == 14
    assert GROUPS[TASKS.index("eye")].colors == tuple(color for color in COLORS if color != "iridescent")
    [found] = classes(tmp_path, "certainty", Bird(marked={"eye_color::purple": 4}))
    assert found["eye"] == COLORS.index("purple") == 3


def test_colors_of_groups_without_a_part_are_of_no_task(tmp_path: Path) -> None:
    four = ("upperparts", "underparts", "under_tail", "primary")
    [found] = classes(tmp_path, "certainty", Bird(marked={f"{name}_color::red": 4 for name in four}))
    assert set(found.values()) == {UNKNOWN}


@pytest.mark.parametrize("multi", ["certainty", "first", "unknown"])
def test_none_is_unknown_and_one_is_that_color_by_each_rule(multi: str, tmp_path: Path) -> None:
    none, one = classes(tmp_path, multi, Bird(), Bird(marked={"crown_color::red": 2}))
    assert set(none.values()) == {UNKNOWN}
    assert one["crown"] == RED


@pytest.mark.parametrize("multi", ["certainty", "first", "unknown"])
def test_what_is_not_visible_and_what_is_absent_does_not_vote_by_any_rule(multi: str, tmp_path: Path) -> None:
    seen, hidden = classes(
        tmp_path,
        multi,
        Bird(marked={"nape_color::blue": 1, "nape_color::red": 2}, doubted={"nape_color::buff": 3}),
        Bird(marked={"nape_color::blue": 1}),
    )
    assert seen["nape"] == RED
    assert hidden["nape"] == UNKNOWN


def test_of_several_colors_the_rule_decides(tmp_path: Path) -> None:
    """Certainties, then percentages in the bird's species, then the order of the file."""
    wing = [f"wing_color::{color}" for color in ("blue", "brown", "red", "buff")]
    birds = (
        Bird(marked={wing[0]: 3, wing[2]: 4, wing[3]: 2}),  # the surest
        Bird(marked={wing[1]: 4, wing[2]: 4, wing[0]: 2}, species=1),  # two are as sure: red is more frequent
        Bird(marked={wing[1]: 4, wing[2]: 4, wing[0]: 2}, species=2),  # and in this species brown is
        Bird(marked={wing[2]: 3, wing[3]: 3}, species=3),  # nothing is known of this one: the first
    )
    known = {(1, wing[2]): 40.0, (1, wing[1]): 30.0, (1, wing[0]): 90.0, (2, wing[1]): 0.5}
    expected = {
        "certainty": [RED, RED, BROWN, RED],
        "first": [BLUE, BLUE, BLUE, RED],
        "unknown": [UNKNOWN] * 4,
    }
    for multi, result in expected.items():
        assert [found["wing"] for found in classes(tmp_path, multi, *birds, percentages=known)] == result


def test_the_rule_of_certainty_is_that_of_sorting_by_hand() -> None:
    draw = random.Random(4)
    votes = torch.tensor([[[draw.choice([0, 0, 1, 2, 3, 4]) for _ in range(15)] for _ in range(12)] for _ in range(60)])
    shares = torch.tensor([[[draw.choice([0.0, 5.0, 7.5]) for _ in range(15)] for _ in range(12)] for _ in range(60)])
    found = label(votes, shares, "certainty")
    for row, group in itertools.product(range(60), range(12)):
        ranked = sorted(
            (-int(votes[row, group, color]), -float(shares[row, group, color]), color)
            for color in range(15)
            if votes[row, group, color] > 1
        )
        assert int(found[row, group]) == (ranked[0][2] if ranked else UNKNOWN)


def test_marked_colors_are_counted_without_those_that_are_not_visible(tmp_path: Path) -> None:
    bird = Bird(marked={"leg_color::blue": 1, "leg_color::red": 2, "leg_color::buff": 4, "eye_color::red": 1})
    count = several(read(tmp_path, bird).votes)
    assert count[0, TASKS.index("leg")] == 2
    assert count.sum() == 2


def test_the_point_of_a_pair_is_the_left_one_and_the_right_one_where_that_is_not_visible(tmp_path: Path) -> None:
    both = {"left wing": (10.0, 6.0), "right wing": (20.0, 7.0), "right leg": (30.0, 8.0), "left eye": (5.0, 9.0)}
    found = read(tmp_path, Bird(points=both)).points(torch.tensor([[48, 32]]), (32, 48))[0]
    assert found[TASKS.index("wing")].tolist() == [9.5, 5.5]
    assert found[TASKS.index("leg")].tolist() == [29.5, 7.5]
    assert found[TASKS.index("eye")].tolist() == [4.5, 8.5]
    assert int((~found.isnan().any(1)).sum()) == 3


def test_every_part_is_the_point_of_one_task(tmp_path: Path) -> None:
    parts = dict(zip(TASKS, (group.parts for group in GROUPS), strict=True))
    assert sorted(part for each in parts.values() for part in each) == sorted(PARTS)
    names = {"upper-tail": "tail", "bill": "beak", "wing": "left wing", "leg": "left leg", "eye": "left eye"}
    for task in TASKS:
        name = names.get(task, task)
        found = read(tmp_path, Bird(points={name: (1.5, 2.5)})).points(torch.tensor([[48, 32]]), (32, 48))[0]
        assert found[TASKS.index(task)].tolist() == [1, 2]
        assert int((~found.isnan().any(1)).sum()) == 1


def test_points_are_scaled_by_the_size_of_their_own_image(tmp_path: Path) -> None:
    birds = [Bird(points={"crown": (30.0, 15.0)})] * 2
    found = read(tmp_path, *birds).points(torch.tensor([[60, 60], [120, 30]]), (224, 224))[:, TASKS.index("crown")]
    assert found.tolist() == [[111.5, 55.5], [55.5, 111.5]]  # whole numbers are pixel centers
