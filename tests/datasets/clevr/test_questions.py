"""The four questions on scenes made by hand, and against an oracle in plain Python."""

import random
from pathlib import Path

import pytest

from mtbench_datasets.clevr.questions import FourQuestions
from mtbench_datasets.worlds.clevr import draw_scenes
from tests.datasets.clevr.trees import Scene, random_scene, read, scene, thing

FOUR = FourQuestions(count=4)


def answers(folder: Path, *scenes: Scene, questions: FourQuestions = FOUR) -> list[list[int]]:
    rows: list[list[int]] = questions.answer(read(folder, *scenes)).targets.tolist()
    return rows


def four(folder: Path, *objects: str | tuple[str, int]) -> list[int]:
    """Return the answers for one scene, whose objects stand from left to right, or at the pixel that is given."""
    placed = [item if isinstance(item, tuple) else (item, 10 * i) for i, item in enumerate(objects)]
    return answers(folder, scene(*(thing(words, x=x) for words, x in placed)))[0]


CUBE, CYLINDER = "small blue metal cube", "large gray rubber cylinder"
SMALL, LARGE = "small cyan metal sphere", "large cyan metal sphere"


def test_q1_is_yes_for_exactly_two_cylinders(tmp_path: Path) -> None:
    assert [four(tmp_path, *[CYLINDER] * count, CUBE)[0] for count in range(5)] == [0, 0, 1, 0, 0]


def test_q2_is_yes_where_some_cube_is_right_of_some_sphere(tmp_path: Path) -> None:
    assert four(tmp_path, SMALL, CUBE)[1] == 1
    assert four(tmp_path, CUBE, SMALL)[1] == 0
    assert four(tmp_path, CUBE, SMALL, CYLINDER)[1] == 0
    assert four(tmp_path, CUBE, SMALL, CYLINDER, CUBE)[1] == 1
    assert four(tmp_path, CYLINDER, CUBE)[1] == 0


def test_q3_needs_one_object_that_is_both_red_and_a_sphere(tmp_path: Path) -> None:
    assert four(tmp_path, "large red metal cube", SMALL)[2] == 0
    assert four(tmp_path, "small red metal sphere", CUBE)[2] == 1


def test_q4_is_about_the_leftmost_sphere_whatever_else_is_further_left(tmp_path: Path) -> None:
    assert four(tmp_path, CYLINDER, SMALL, LARGE)[3] == 0
    assert four(tmp_path, CYLINDER, LARGE, SMALL)[3] == 1
    assert four(tmp_path, (SMALL, 7), (LARGE, 6))[3] == 1


def test_without_a_sphere_q4_is_no_or_undefined_as_asked(tmp_path: Path) -> None:
    objects = scene(thing(CYLINDER), thing("large red rubber cube", x=9))
    assert answers(tmp_path, objects) == [[0, 0, 0, 0]]
    assert answers(tmp_path, objects, questions=FourQuestions(count=4, ignore_no_sphere=True)) == [[0, 0, 0, -1]]


def test_a_tie_of_the_leftmost_spheres_is_settled_in_space(tmp_path: Path) -> None:
    near, far = [0.5, 0, 0.7], [-0.5, 0, 0.7]  # the direction to the left is (-1, 0, 0)
    tied = [
        scene(thing(SMALL, x=5, place=near), thing(LARGE, x=5, place=far)),
        scene(thing(SMALL, x=5, place=far), thing(LARGE, x=5, place=near)),
        scene(thing(LARGE, x=5, place=near), thing(SMALL, x=5, place=far)),
    ]
    assert [row[3] for row in answers(tmp_path, *tied)] == [1, 0, 0]


def test_of_spheres_at_one_pixel_without_places_the_first_is_taken(tmp_path: Path) -> None:
    flat = [scene(thing(a, x=5), thing(b, x=5), directions=None) for a, b in [(SMALL, LARGE), (LARGE, SMALL)]]
    assert [row[3] for row in answers(tmp_path, *flat)] == [0, 1]


def test_fewer_questions_are_the_first_ones(tmp_path: Path) -> None:
    objects = scene(thing(LARGE), thing(CUBE, x=9), thing(CYLINDER), thing(CYLINDER))
    assert answers(tmp_path, objects, questions=FourQuestions(count=2)) == [[1, 1]]
    assert answers(tmp_path, objects, questions=FourQuestions(count=3)) == [[1, 1, 0]]
    assert [task.name for task in FourQuestions(count=3).tasks] == ["q1", "q2", "q3"]


def oracle(made: Scene) -> list[int]:
    """Return the paper's questions, one object at a time."""
    objects = made["objects"]
    cylinders = 0
    cube_right = red_sphere = 0
    best = None
    for i, item in enumerate(objects):
        if item["shape"] == "cylinder":
            cylinders += 1
        if item["shape"] != "sphere":
            continue
        if item["color"] == "red":
            red_sphere = 1
        for j in made["relationships"]["right"][i]:
            if objects[j]["shape"] == "cube":
                cube_right = 1
        key = (item["pixel_coords"][0], item["3d_coords"][0])
        if best is None or key < best[0]:
            best = (key, item["size"])
    return [int(cylinders == 2), cube_right, red_sphere, int(best is not None and best[1] == "large")]


def test_random_scenes_are_answered_as_by_the_oracle(tmp_path: Path) -> None:
    draw = random.Random(4)
    scenes = [random_scene(draw) for _ in range(400)]
    found = answers(tmp_path, *scenes)
    assert found == [oracle(made) for made in scenes]
    assert all(50 < sum(column) < 350 for column in zip(*found, strict=True))


def test_drawn_scenes_have_the_answers_that_the_rules_of_placement_predict(tmp_path: Path) -> None:
    """Fractions of 100,000 scenes under the generator's prior, without what is hidden being resampled."""
    count = 1500
    found = answers(tmp_path, *draw_scenes(count, seed=7))
    for column, expected in zip(zip(*found, strict=True), (0.272, 0.644, 0.240, 0.444), strict=True):
        error = (expected * (1 - expected) / count) ** 0.5
        assert sum(column) / count == pytest.approx(expected, abs=4 * error)
