"""Drawn rooms: where things stand, and pictures whose classes, depth and normals agree with each other."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mtbench_datasets.worlds.draws import Draws
from mtbench_datasets.worlds.rooms.furniture import FURNITURE, box
from mtbench_datasets.worlds.rooms.images import SAMPLES, Maps, draw_image, draw_maps
from mtbench_datasets.worlds.rooms.layout import draw_scene
from mtbench_datasets.worlds.rooms.paint import PATTERNS, Paint
from mtbench_datasets.worlds.rooms.palette import draw_style
from mtbench_datasets.worlds.rooms.scene import Lamp, Scene
from mtbench_datasets.worlds.rooms.solids import Piece, Solid
from mtbench_datasets.worlds.rooms.surface import see
from mtbench_datasets.worlds.rooms.vocabulary import CLASSES, label

SIZE = (48, 64)
FOCAL = min(64 / 1.14, 48 / 0.855)
SURROUNDINGS = [label(name) for name in ("wall", "floor", "ceiling")]


def scene(number: int, split: str = "train") -> Scene:
    return draw_scene(Draws(0, "rooms", "scene", split, number))


def maps(drawn: Scene, size: tuple[int, int] = SIZE) -> Maps:
    return draw_maps(drawn, see(drawn, size, SAMPLES), size)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [scene(number) for number in range(40)]


@pytest.fixture(scope="module")
def rooms(scenes: list[Scene]) -> list[tuple[Scene, Maps]]:
    return [(drawn, maps(drawn)) for drawn in scenes[:8]]


def low_and_high(solid: Solid) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    corners = solid.corners().numpy()
    return corners.min(1), corners.max(1)


def test_everything_is_in_the_room_and_nothing_is_where_the_camera_is(scenes: list[Scene]) -> None:
    for drawn in scenes:
        eye = np.array(drawn.camera.position)
        assert ((eye > 0.25) & (eye < np.array(drawn.size) - 0.25)).all()
        for solid in drawn.solids:
            low, high = low_and_high(solid)
            assert (low > -0.15).all()  # sills and curtains may reach into a wall
            assert (high < np.array(drawn.size) + 0.15).all()
            away = np.maximum(np.maximum(low - eye, eye - high), 0)
            assert np.linalg.norm(away) > 0.3


def furniture(drawn: Scene) -> Iterator[Piece]:
    """Return the pieces on the floor: beds, sofas, tables and cabinets, which have their names."""
    kinds = {label(name) for name in ("bed", "sofa", "table", "cabinet")}
    return (piece for piece in drawn.pieces if piece.solids[0].label in kinds)


def test_no_two_large_pieces_stand_in_each_other(scenes: list[Scene]) -> None:
    pairs = 0
    for drawn in scenes:
        pieces = [np.array(piece.bounds)[:, :2] for piece in furniture(drawn)]
        for number, (low, high) in enumerate(pieces):
            for other_low, other_high in pieces[:number]:
                pairs += 1
                assert ((other_low > high) | (low > other_high)).any()
    assert pairs > 40


@pytest.mark.parametrize("name", FURNITURE)
def test_furniture_stands_on_the_floor_about_its_middle_and_has_its_class(name: str) -> None:
    draws = Draws(0, "rooms", "test", name)
    style = draw_style(draws)
    for _ in range(20):
        piece = FURNITURE[name](draws, style)
        low, high = (np.array(bound) for bound in piece.bounds)
        assert low[2] == pytest.approx(0, abs=0.1)
        assert abs(low[0] + high[0]) < 1e-5
        assert np.all(np.abs(low[:2] + high[:2]) < 0.2)
        assert 0.2 < high[2] < 2.3
        assert {solid.label for solid in piece.solids} <= {label(name), label("object")}
        assert piece.solids[0].label == label(name)


def test_a_placed_piece_is_turned_about_its_middle_and_moved() -> None:
    piece = Piece(solids=(box("bed", Paint(color=(1, 1, 1)), (0.5, -0.1, 0), (1.5, 0.1, 1)),))
    low, high = piece.placed(2, 3, 0.5, 90).bounds
    assert low == pytest.approx((1.9, 3.5, 0.5), abs=1e-5)
    assert high == pytest.approx((2.1, 4.5, 1.5), abs=1e-5)


def test_every_class_occurs_in_both_splits_and_frequencies_are_unequal() -> None:
    for split in ("train", "val"):
        found = [maps(scene(number, split), (24, 32)).label for number in range(20)]
        counts = np.bincount(np.stack(found).astype(int).ravel() + 1, minlength=1 + len(CLASSES))
        fractions = counts / counts.sum()
        assert (counts > 0).all(), split
        assert 0.3 < fractions[1 + label("wall")] < 0.5
        assert 0.1 < fractions[1 + label("floor")] < 0.3
        assert fractions[1 + label("lamp")] < 0.03
        assert fractions[0] < 0.15


def test_walls_have_the_depth_of_the_bare_room_and_things_are_before_it(rooms: list[tuple[Scene, Maps]]) -> None:
    for drawn, found in rooms:
        bare = maps(replace(drawn, pieces=())).depth
        known = found.depth[..., 0] > 0
        walls = known & np.isin(found.label, [label("wall"), label("ceiling")])
        assert found.depth[walls] == pytest.approx(bare[walls], rel=1e-5)
        floor = known & (found.label == label("floor"))
        assert found.depth[floor] == pytest.approx(bare[floor], rel=0.03)  # a carpet is 1 cm thick
        things = known & (found.label >= 0) & ~np.isin(found.label, SURROUNDINGS)
        assert (found.depth[things] < bare[things]).all()
        assert things.any()


def test_classes_change_where_depth_jumps(rooms: list[tuple[Scene, Maps]]) -> None:
    jumps = changes = 0
    for _, found in rooms:
        depth, classes = found.depth[..., 0], found.label
        both = (depth[:, 1:] > 0) & (depth[:, :-1] > 0) & (classes[:, 1:] >= 0) & (classes[:, :-1] >= 0)
        background = np.isin(classes[:, 1:], SURROUNDINGS) & np.isin(classes[:, :-1], SURROUNDINGS)
        jump = both & (np.abs(depth[:, 1:] - depth[:, :-1]) > 0.25 * depth[:, 1:])
        jumps += int(jump.sum())
        changes += int((jump & (classes[:, 1:] != classes[:, :-1])).sum())
        assert not (jump & background).any()
    assert jumps > 50
    assert changes > 0.5 * jumps  # the others are within a thing, such as a chair's back and its seat


def test_normals_are_those_of_the_surface_that_depth_describes(rooms: list[tuple[Scene, Maps]]) -> None:
    """Points of neighboring pixels of walls, floor and ceiling lie at right angles to the normal between them."""
    right = (np.arange(64) + 0.5 - 32) / FOCAL
    up = -(np.arange(48) + 0.5 - 24)[:, None] / FOCAL
    checked = 0
    for drawn, found in rooms:
        depth = found.depth[..., 0].astype(np.float64)
        points = np.stack([depth * right, depth * up, -depth], -1)
        flat = (depth > 0) & np.isin(found.label, [label("wall"), label("ceiling")])
        for axis in (0, 1):
            middle, before, after = (np.roll(found.normal, step, axis) for step in (0, 1, -1))
            same = (np.abs(middle - before).max(-1) < 1e-6) & (np.abs(middle - after).max(-1) < 1e-6)
            clear = flat & np.roll(flat, 1, axis) & np.roll(flat, -1, axis) & same
            clear[[0, -1]] = clear[:, [0, -1]] = False
            across = np.roll(points, -1, axis) - np.roll(points, 1, axis)
            lengths = np.linalg.norm(across, axis=-1)
            off = np.abs((across * middle).sum(-1))[clear] / lengths[clear]
            assert (off < 1e-3).all()
            checked += int(clear.sum())
        towards = (points * found.normal).sum(-1)
        assert (towards[depth > 0] < 0).all()  # what is seen faces the camera
        assert drawn.size[1] > 3
    assert checked > 3000


def test_a_class_is_defined_where_it_fills_most_of_a_pixel() -> None:
    for number in (1, 4):
        drawn = scene(number)
        named = replace(drawn, pieces=tuple(piece for piece in drawn.pieces if piece.solids[0].label >= 0))
        classes = maps(named).label
        fine = see(named, (96, 128), 1).labels().view(96, 128).numpy()
        quarters = np.stack([fine[row::2, column::2] for row in (0, 1) for column in (0, 1)])
        assert 0.005 < (classes == -1).mean() < 0.15
        assert ((quarters == classes).sum(0)[classes >= 0] >= 3).all()
        alike = (quarters == quarters[0]).all(0)
        assert (classes[alike] >= 0).mean() > 0.995  # the others have something thin in the middle
        assert (classes[~alike] == -1).any()


def test_a_piece_that_nobody_named_has_depth_but_no_class() -> None:
    drawn = scene(2)
    with_class, without = (
        maps(replace(drawn, pieces=tuple(piece.labeled(name) for piece in drawn.pieces)))
        for name in (label("table"), -1)
    )
    things = with_class.label == label("table")
    assert things.sum() > 100
    assert (without.label[things] == -1).all()
    assert np.array_equal(with_class.depth, without.depth)
    assert (without.depth[things] > 0).any()


def picture(drawn: Scene, size: tuple[int, int] = SIZE) -> NDArray[np.float32]:
    return draw_image(drawn, see(drawn, size, SAMPLES), Draws(0, "rooms", "noise"), size)


def test_a_shadow_falls_away_from_the_lamp() -> None:
    lamp = Lamp(position=(0.5, 2.0, 2.0), power=(2.0, 2.0, 2.0), radius=0.1)
    plain = (Paint(color=(0.5, 0.5, 0.5)),) * 6
    thing = Piece(solids=(box("table", plain[0], (1.8, 1.9, 0), (2.2, 2.3, 0.8)),))
    base = scene(0)
    camera = replace(base.camera, position=(2.0, 0.3, 1.8), target=(2.0, 2.5, 0.0))
    drawn = replace(
        base, size=(4.0, 5.0, 2.5), paints=plain, pieces=(thing,), lamps=(lamp,), noise=0.0, camera=camera, exposure=0.2
    )
    seen, bare = picture(drawn), picture(replace(drawn, pieces=()))
    ratio = {}
    for name, x in (("towards", 1.45), ("away", 2.55)):
        column, row, _ = camera.project((x, 2.1, 0.0), SIZE)
        ratio[name] = float((seen / bare)[int(row), int(column)].mean())
    assert ratio["away"] < 0.8 < ratio["towards"]


def test_pictures_of_more_exposure_are_brighter_and_noise_has_the_stated_deviation() -> None:
    drawn = replace(scene(3), noise=0.0)
    plain = picture(drawn)
    assert picture(replace(drawn, exposure=2 * drawn.exposure)).mean() > 1.1 * plain.mean()
    noisy = picture(replace(drawn, noise=0.02))
    middle = (plain > 0.1) & (plain < 0.9)
    assert float((noisy - plain)[middle].std()) == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_mixes_two_colors(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    points = 6 * torch.rand(3, 4000, generator=generator) - 3
    weight = PATTERNS[name](points)
    assert weight.shape == (4000,)
    assert ((weight >= 0) & (weight <= 1)).all()
    assert float(weight.max() - weight.min()) > 0.3
    paint = Paint(color=(0.1, 0.2, 0.3), other=(0.9, 0.4, 0.5), pattern=name, scale=0.5, shift=(1.0, 0.0, 0.0))
    moved = 0.5 * points - torch.tensor([1.0, 0.0, 0.0])[:, None]
    assert torch.allclose(
        paint.colors(moved)[0], 0.1 + 0.8 * PATTERNS[name]((moved + points.new_tensor([[1], [0], [0]])) / 0.5)
    )


def test_classes_have_distinct_names() -> None:
    assert len(set(CLASSES)) == len(CLASSES) == 13
