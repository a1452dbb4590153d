"""Drawn scenes: the generator's rules hold, and labels have the probabilities that its prior gives them."""

import math
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from mtbench_datasets.worlds.clevr.objects import RADII
from mtbench_datasets.worlds.clevr.placement import candidates
from mtbench_datasets.worlds.clevr.scenes import describe, draw_scenes

SIZE = (120, 160)
COUNTS = range(3, 11)
OPPOSITE = {"left": "right", "right": "left", "front": "behind", "behind": "front"}


@pytest.fixture(scope="module")
def scenes() -> list[dict[str, Any]]:
    return draw_scenes(2000, seed=5)


def shapes(scene: dict[str, Any]) -> list[str]:
    return [item["shape"] for item in scene["objects"]]


def leftmost_sphere(scene: dict[str, Any]) -> dict[str, Any] | None:
    spheres = [item for item in scene["objects"] if item["shape"] == "sphere"]
    return min(spheres, key=lambda item: item["pixel_coords"][0], default=None)


def over_counts(probability: Any) -> float:
    """Return the mean over 3 to 10 objects, each number as likely."""
    return float(sum(probability(n) for n in COUNTS) / len(COUNTS))


def test_two_cylinders_are_as_likely_as_the_binomial_says(scenes: list[dict[str, Any]]) -> None:
    third = Fraction(1, 3)
    expected = over_counts(lambda n: math.comb(n, 2) * third**2 * (1 - third) ** (n - 2))
    assert expected == pytest.approx(0.272, abs=0.003)  # the Monte-Carlo value of CLEVR's prior
    found = np.mean([shapes(scene).count("cylinder") == 2 for scene in scenes])
    assert found == pytest.approx(expected, abs=0.03)


def test_a_red_sphere_is_as_likely_as_independent_attributes_say(scenes: list[dict[str, Any]]) -> None:
    expected = over_counts(lambda n: 1 - Fraction(23, 24) ** n)
    assert expected == pytest.approx(0.240, abs=0.003)
    found = np.mean([any(i["shape"] == "sphere" and i["color"] == "red" for i in s["objects"]) for s in scenes])
    assert found == pytest.approx(expected, abs=0.03)


def test_a_cube_right_of_a_sphere_is_as_likely_as_in_clevr(scenes: list[dict[str, Any]]) -> None:
    found = np.mean(
        [
            any(
                shapes(scene)[i] == "sphere" and shapes(scene)[j] == "cube"
                for i, others in enumerate(scene["relationships"]["right"])
                for j in others
            )
            for scene in scenes
        ]
    )
    assert found == pytest.approx(0.644, abs=0.03)


def test_the_leftmost_sphere_is_large_as_often_as_in_clevr(scenes: list[dict[str, Any]]) -> None:
    spheres = [leftmost_sphere(scene) for scene in scenes]
    there = [sphere["size"] == "large" for sphere in spheres if sphere is not None]
    assert len(there) / len(scenes) == pytest.approx(1 - over_counts(lambda n: Fraction(2, 3) ** n), abs=0.03)
    assert np.mean(there) == pytest.approx(0.497, abs=0.035)


def test_numbers_of_objects_and_attributes_are_uniform(scenes: list[dict[str, Any]]) -> None:
    numbers = np.array([len(scene["objects"]) for scene in scenes])
    assert set(numbers) == set(COUNTS)
    assert all(np.mean(numbers == n) == pytest.approx(1 / 8, abs=0.03) for n in COUNTS)
    items = [item for scene in scenes for item in scene["objects"]]
    for key, values in (("size", 2), ("color", 8), ("material", 2), ("shape", 3)):
        found = {value: np.mean([i[key] == value for i in items]) for value in {i[key] for i in items}}
        assert len(found) == values
        assert all(part == pytest.approx(1 / values, abs=0.02) for part in found.values())


def test_crowded_scenes_have_as_many_large_objects_as_small_ones(scenes: list[dict[str, Any]]) -> None:
    sizes = [item["size"] for scene in scenes if len(scene["objects"]) == 10 for item in scene["objects"]]
    assert np.mean([size == "large" for size in sizes]) == pytest.approx(0.5, abs=0.04)


def test_objects_keep_the_margins_of_the_generator(scenes: list[dict[str, Any]]) -> None:
    assert len(scenes) == 2000
    for scene in scenes:
        places = np.array([item["3d_coords"] for item in scene["objects"]])
        radii = np.array([RADII[item["size"]] for item in scene["objects"]])
        apart = ~np.eye(len(places), dtype=bool)
        for name in OPPOSITE:
            along = places @ np.array(scene["directions"][name])
            assert np.abs(along[:, None] - along)[apart].min() >= 0.4
        gaps = np.linalg.norm(places[:, None, :2] - places[None, :, :2], axis=2) - radii[:, None] - radii
        assert gaps[apart].min() >= 0.25 - 1e-5


def test_relationships_are_those_of_coordinates_and_directions(scenes: list[dict[str, Any]]) -> None:
    for scene in scenes[:500]:
        places = [np.array(item["3d_coords"]) for item in scene["objects"]]
        table = scene["relationships"]
        assert set(table) == set(OPPOSITE)
        for name, others in table.items():
            assert len(others) == len(places)
            for i, j in permutations(range(len(places)), 2):
                assert (j in others[i]) == ((places[j] - places[i]) @ np.array(scene["directions"][name]) > 0.2)
                assert (j in others[i]) == (i in table[OPPOSITE[name]][j])
                assert (j in others[i]) != (i in others[j])  # margins leave no ties


def test_directions_are_unit_vectors_along_the_picture() -> None:
    scene = next(candidates(3, "train", 0))
    directions = {name: np.array(vector) for name, vector in scene.camera.directions.items()}
    assert set(directions) == {"left", "right", "front", "behind", "above", "below"}
    assert all(np.linalg.norm(vector) == pytest.approx(1) for vector in directions.values())
    assert all(directions[name][2] == 0 for name in OPPOSITE)
    x, y, depth = scene.camera.project((0.0, 0.0, 0.0), SIZE)
    moved = {name: scene.camera.project(tuple(vector), SIZE) for name, vector in directions.items()}
    assert moved["right"][0] > x > moved["left"][0]
    assert moved["above"][1] < y < moved["below"][1]
    assert moved["behind"][2] > depth > moved["front"][2]


def test_pixel_coordinates_agree_with_a_projection_by_matrices() -> None:
    height, width = SIZE
    for index in range(20):
        scene = next(candidates(1, "val", index))
        described = describe(scene, "val", index, SIZE)
        eye, target = np.array(scene.camera.position), np.array(scene.camera.target)
        forward = (target - eye) / np.linalg.norm(target - eye)
        right = np.cross(forward, [0, 0, 1])
        right /= np.linalg.norm(right)
        focal = min(width / 0.316, height / 0.237)
        inner = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        outer = np.stack([right, -np.cross(right, forward), forward])
        assert described["directions"]["right"] == pytest.approx(right, abs=1e-8)
        for item in described["objects"]:
            u, v, depth = inner @ outer @ (np.array(item["3d_coords"]) - eye)
            assert item["pixel_coords"] == [round(u / depth), round(v / depth), pytest.approx(depth, abs=1e-5)]


def test_a_scene_is_described_in_the_words_of_the_format() -> None:
    scene = draw_scenes(4, seed=0, split="val")[3]
    assert set(scene) == {"image_index", "image_filename", "split", "objects", "directions", "relationships"}
    assert (scene["image_index"], scene["image_filename"], scene["split"]) == (3, "CLEVR_val_000003.png", "val")
    keys = {"3d_coords", "pixel_coords", "rotation", "size", "color", "material", "shape"}
    assert all(set(item) == keys for item in scene["objects"])


def test_seeds_splits_and_indices_give_different_scenes_and_the_same_ones_again() -> None:
    first = draw_scenes(2, seed=0)
    assert draw_scenes(2, seed=0) == first
    others = [first[1]["objects"], draw_scenes(1, seed=1)[0]["objects"], draw_scenes(1, 0, "val")[0]["objects"]]
    assert first[0]["objects"] not in others
