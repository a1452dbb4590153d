"""Drawn birds: solids against closed forms, poses, and where parts are seen."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mtbench_datasets.worlds.birds.anatomy import Label, Pose, build
from mtbench_datasets.worlds.birds.annotate import GUESSED, SILENT, annotate, locate
from mtbench_datasets.worlds.birds.picture import Drawn, draw_picture
from mtbench_datasets.worlds.birds.species import Form, Plumage, draw_plumage, draw_species
from mtbench_datasets.worlds.birds.sweeps import Buffer, Sweep
from mtbench_datasets.worlds.birds.vocabulary import ATTRIBUTES, COLORS, GROUPS, PART_GROUP, PARTS, RGB
from mtbench_datasets.worlds.curve import curve
from mtbench_datasets.worlds.draws import Draws

SIDE = Pose(yaw=0, upright=25, elevation=0, roll=0, look=0, nod=0, tail=0, fan=0, droop=0)
WIDE = (120, 160)


def sweep(points: Any, squash: Any = None, label: int = 0) -> Sweep:
    line = np.asarray(points, dtype=np.float32)
    matrix = np.eye(3) if squash is None else np.asarray(squash)
    return Sweep(label=label, centers=line[:, :3], radii=line[:, 3], squash=matrix.astype(np.float32))


def grid(buffer: Buffer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of the samples."""
    rows, columns = buffer.label.shape
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    return buffer.step * x, buffer.step * y


def test_a_sphere_is_seen_at_its_depth_with_its_normal() -> None:
    buffer = Buffer((40, 50), 0.5)
    buffer.draw(sweep([(12, 9, 3, 6)], label=7))
    x, y = grid(buffer)
    height = 36 - (x - 12) ** 2 - (y - 9) ** 2
    assert ((buffer.label == 7) == (height > 0)).all()
    inside = height > 0
    np.testing.assert_allclose(buffer.depth[inside], 3 + np.sqrt(height[inside]), atol=1e-4)
    np.testing.assert_allclose(buffer.normal[0][inside], (x[inside] - 12) / 6, atol=1e-4)
    np.testing.assert_allclose(buffer.normal[2][inside], np.sqrt(height[inside]) / 6, atol=1e-4)


def test_an_ellipsoid_that_is_tilted_is_seen_at_the_root_of_its_quadratic() -> None:
    thin = np.array([0.6, 0.0, 0.8])
    squash = np.eye(3) + (1 / 0.4 - 1) * np.outer(thin, thin)
    buffer = Buffer((60, 60), 0.5)
    buffer.draw(sweep([(15, 15, 0, 8)], squash))
    seen = np.argwhere(buffer.label == 0)
    assert len(seen) > 300
    for row, column in seen[::37]:
        d = np.array([0.5 * (column + 0.5) - 15, 0.5 * (row + 0.5) - 15, 0.0])
        forward, start = squash @ np.array([0, 0, 1.0]), squash @ d
        roots = np.roots([forward @ forward, 2 * forward @ start, start @ start - 64])
        assert buffer.depth[row, column] == pytest.approx(max(roots.real), abs=1e-3)


def test_spheres_along_a_line_look_like_a_smooth_tube() -> None:
    buffer = Buffer((40, 120), 0.5)
    points = curve(np.array([(10.0, 10, 0, 5), (30, 10, 0, 5), (50, 10, 0, 5)]), 20)
    buffer.draw(sweep(points))
    x, y = grid(buffer)
    tube = (x > 11) & (x < 49) & (abs(y - 10) < 4.5)
    np.testing.assert_allclose(buffer.depth[tube], np.sqrt(25 - (y[tube] - 10) ** 2), atol=0.01)
    np.testing.assert_allclose(buffer.along[tube], (x[tube] - 10) / 40, atol=0.002)
    assert np.abs(buffer.normal[0][tube]).max() < 0.05


def test_the_nearer_solid_hides_the_farther_one_in_any_order() -> None:
    near, far = sweep([(10, 10, 9, 4)], label=1), sweep([(10, 10, 0, 8)], label=2)
    first, second = Buffer((40, 40), 0.5), Buffer((40, 40), 0.5)
    for buffer, order in ((first, (near, far)), (second, (far, near))):
        for each in order:
            buffer.draw(each)
    assert (first.label == second.label).all()
    assert first.label[20, 20] == 1
    assert (first.label == 2).any()


def test_a_curve_goes_through_its_points() -> None:
    points = np.array([(0.0, 1.0), (2.0, 5.0), (3.0, -1.0), (7.0, 0.0)])
    np.testing.assert_allclose(curve(points, 4)[::4], points, atol=1e-12)


def labels(**changes: Any) -> Buffer:
    buffer = Buffer((200, 240), 1.0)
    pose = Pose(**(vars(SIDE) | changes))
    for each in build(Form(), pose, 80.0, np.array([120.0, 90, 0])).sweeps:
        buffer.draw(each)
    return buffer


@pytest.mark.parametrize(
    ("yaw", "shown", "hidden"), [(0, "RIGHT", "LEFT"), (180, "LEFT", "RIGHT")], ids=["to the right", "to the left"]
)
def test_a_bird_from_the_side_shows_the_eye_and_the_wing_of_that_side(yaw: float, shown: str, hidden: str) -> None:
    label = labels(yaw=yaw).label
    assert (label == Label[f"{shown}_EYE"]).sum() > 100
    assert (label == Label[f"{hidden}_EYE"]).sum() == 0
    assert (label == Label[f"{shown}_WING"]).sum() > 10 * (label == Label[f"{hidden}_WING"]).sum()
    x = np.arange(240)
    beak, tail = ((x * (label == kind).sum(0)).sum() / (label == kind).sum() for kind in (Label.BEAK, Label.TAIL))
    assert (beak > tail) == (yaw == 0)


def test_a_bird_from_the_front_shows_both_eyes_and_from_behind_next_to_nothing_of_them() -> None:
    front, behind = labels(yaw=-90).label, labels(yaw=90).label
    for eye in (Label.LEFT_EYE, Label.RIGHT_EYE):
        assert (front == eye).sum() > 50
        assert (behind == eye).sum() < (front == eye).sum() / 10  # eyes bulge


def test_a_head_that_is_turned_shows_the_other_eye() -> None:
    assert (labels(look=-150).label == Label.LEFT_EYE).sum() > 50


def birds(count: int, size: tuple[int, int]) -> list[tuple[Drawn, dict[str, Plumage]]]:
    found = []
    for index in range(count):
        species = draw_species(0, index + 1)
        plumage = draw_plumage(species, Draws(0, "test plumage", index))
        found.append((draw_picture(species, plumage, Draws(0, "test", index), size), plumage))
    return found


@pytest.fixture(scope="module")
def flock() -> list[tuple[Drawn, dict[str, Plumage]]]:
    return birds(48, (60, 80))


def test_a_constant_point_is_near_few_parts(flock: list[tuple[Drawn, dict[str, Plumage]]]) -> None:
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41)), -1).reshape(-1, 1, 2)
    for part in PARTS:
        points = np.array([np.divide(p.points[part], p.pixels.shape[1::-1]) for p, _ in flock if part in p.points])
        assert len(points) > 10
        near = np.hypot(*np.moveaxis(grid - points, -1, 0)) < 0.1
        assert near.mean(1).max() < 0.4, part  # below .2 of many; the best of 1,681 points overfits a few


def test_parts_have_their_color_where_their_point_is(flock: list[tuple[Drawn, dict[str, Plumage]]]) -> None:
    right = total = 0
    for picture, plumage in flock:
        for part, (x, y) in picture.points.items():
            color = plumage[PART_GROUP[part]]
            if color.main == "iridescent" or color.second or "eye" in part:
                continue
            seen = picture.pixels[int(y), int(x)].astype(float)
            off = {
                name: min(np.abs(seen - np.array(rgb) * f).sum() for f in (0.7, 0.8, 0.9, 1))
                for name, rgb in RGB.items()
            }
            right += color.main in sorted(off, key=off.__getitem__)[:2]
            total += 1
    assert total > 200
    assert right / total > 0.85


def test_boxes_hold_the_points(flock: list[tuple[Drawn, dict[str, Plumage]]]) -> None:
    for picture, _ in flock:
        x, y, width, height = picture.box
        assert picture.points
        assert all(x <= a <= x + width and y <= b <= y + height for a, b in picture.points.values())


def test_pictures_of_one_species_share_most_colors_and_deviate_in_some() -> None:
    same = [
        draw_plumage(species, Draws(0, "deviation", number, index))["back_color"].main
        == draw_plumage(species, Draws(0, "deviation", number, index + 1))["back_color"].main
        for number in range(1, 21)
        for species in [draw_species(0, number)]
        for index in range(10)
    ]
    assert 0.4 < np.mean(same) < 0.9


def test_attributes_stand_where_cub_has_them() -> None:
    first = {
        "bill_shape": 1, "wing_color": 10, "breast_pattern": 55, "back_color": 59, "upper_tail_color": 80,
        "head_pattern": 95, "breast_color": 106, "throat_color": 121, "eye_color": 136, "bill_length": 150,
        "forehead_color": 153, "nape_color": 183, "belly_color": 198, "wing_shape": 213, "size": 218, "shape": 223,
        "primary_color": 249, "leg_color": 264, "bill_color": 279, "crown_color": 294, "wing_pattern": 309,
    }  # fmt: skip
    assert len(ATTRIBUTES) == 312
    for group, number in first.items():
        value = GROUPS[group][0]
        assert ATTRIBUTES[number - 1] == f"has_{group}::{value}"
    assert [len(GROUPS[group]) for group in ("wing_color", "eye_color")] == [15, 14]
    assert "has_eye_color::iridescent" not in ATTRIBUTES


def answers(seen: set[str], group: str, repeats: int = 400) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Presence and certainty (repeats, values) that are said of a group."""
    species = draw_species(0, 3)
    areas = dict.fromkeys(PARTS, 0.01)
    start = [name.startswith(f"has_{group}::") for name in ATTRIBUTES].index(True)
    where = slice(start, start + len(GROUPS[group]))
    said = [annotate(species, species.plumage, areas, seen, Draws(0, "answers", i)) for i in range(repeats)]
    return np.array([a.present[where] for a in said]), np.array([a.certainty[where] for a in said])


def test_people_name_no_color_of_a_hidden_part_or_guess() -> None:
    present, certainty = answers(set(PARTS) - {"throat"}, "throat_color")
    named = present.sum(1)
    assert named.mean() == pytest.approx(GUESSED, abs=4 * math.sqrt(GUESSED / 400))
    assert set(certainty[named == 0].ravel()) == {1}
    assert set(certainty[present == 1]) == {2}


def test_people_name_none_one_or_several_colors_of_a_visible_part() -> None:
    present, certainty = answers(set(PARTS), "throat_color")
    counts = np.bincount(present.sum(1), minlength=3) / 400
    assert counts[0] == pytest.approx(SILENT, abs=4 * math.sqrt(SILENT / 400))
    assert counts[1] > 0.8
    assert counts[2] > 0.02
    assert set(certainty.ravel()) == {2, 3, 4}
    own = COLORS.index(draw_species(0, 3).plumage["throat_color"].main)
    assert present[:, own].mean() > 0.9


def test_marks_lie_near_the_points_and_hidden_parts_have_none() -> None:
    points = {part: (40.0 + 3 * index, 30.0 + 2 * index) for index, part in enumerate(PARTS[:10])}
    rows = np.array([locate(points, WIDE, Draws(0, "marks", i)) for i in range(300)])
    away = rows[:, :10, :2] - np.array(list(points.values()))
    marked = rows[:, :10, 2] == 1
    assert 0.95 < marked.mean() < 1
    assert np.median(np.hypot(*away[marked].T)) < 0.02 * WIDE[1]
    assert rows[:, 10:, 2].mean() < 0.05
    assert (rows[rows[..., 2] == 0] == 0).all()
