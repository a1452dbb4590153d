"""Pictures agree with scenes: what rays meet, shadows, colors, materials and dense labels."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from mtbench_datasets.worlds.clevr.objects import COLORS, MATERIALS, SHAPES, Item
from mtbench_datasets.worlds.clevr.placement import Scene, candidates
from mtbench_datasets.worlds.clevr.primitives import blocked, entry
from mtbench_datasets.worlds.clevr.render import SAMPLES, draw_visible, render, render_maps
from mtbench_datasets.worlds.clevr.scenes import describe
from mtbench_datasets.worlds.clevr.surface import see

SIZE = (120, 160)


def item(shape: str, *, x: float = 0.0, y: float = 0.0, **changes: object) -> Item:
    plain = Item(shape=shape, size="large", color="red", material="rubber", rotation=33.0, x=x, y=y)
    return replace(plain, **changes)  # type: ignore[arg-type]


def alone(*items: Item) -> Scene:
    return replace(next(candidates(0, "train", 0)), items=items)


def picture(scene: Scene) -> Tensor:
    return render(scene, see(scene, SIZE, SAMPLES), SIZE)


def inside(thing: Item, points: np.ndarray) -> np.ndarray:
    """Return the definition of each solid, for points (..., 3)."""
    x, y, z = np.moveaxis(points - np.array(thing.center), -1, 0)
    if thing.shape == "sphere":
        return x**2 + y**2 + z**2 < thing.half**2  # type: ignore[no-any-return]
    if thing.shape == "cylinder":
        return (x**2 + y**2 < thing.half**2) & (np.abs(z) < thing.half)  # type: ignore[no-any-return]
    angle = math.radians(thing.rotation)
    a, b = x * math.cos(angle) + y * math.sin(angle), -x * math.sin(angle) + y * math.cos(angle)
    return np.maximum(np.maximum(np.abs(a), np.abs(b)), np.abs(z)) < thing.half  # type: ignore[no-any-return]


@pytest.mark.parametrize("shape", SHAPES)
def test_rays_enter_a_solid_where_small_steps_along_them_do(shape: str) -> None:
    thing = item(shape, x=0.3, y=-0.2)
    generator = torch.Generator().manual_seed(0)
    origin = 4 * torch.rand(3, 400, generator=generator) - 2
    origin[2] = 2 + origin[2].abs()
    target = torch.tensor(thing.center)[:, None] + 2 * torch.rand(3, 400, generator=generator) - 1
    direction = target - origin
    steps = np.linspace(0, 2, 4001)
    way = origin.T.numpy()[:, None] + steps[:, None] * direction.T.numpy()[:, None]  # (R, steps, 3)
    met = inside(thing, way)
    found = entry(thing, origin, direction).numpy()
    hits = met.any(1)
    grazing = met.sum(1) < 4  # missed or met by rounding
    assert 50 < hits.sum() < 350
    assert ((found < math.inf) == hits)[~grazing | ~hits & (found == math.inf)].all()
    assert found[hits & ~grazing] == pytest.approx(steps[met.argmax(1)][hits & ~grazing], abs=1e-3)


def test_light_is_blocked_where_small_steps_towards_the_lamp_meet_something() -> None:
    things = (item("sphere", x=-1.0), item("cube", x=1.0, y=0.5), item("cylinder", y=-1.5, size="small"))
    generator = torch.Generator().manual_seed(1)
    ground = 8 * torch.rand(3, 600, generator=generator) - 4
    ground[2] = 1e-3
    path = torch.tensor([-5.0, -3.5, 8.5])[:, None] - ground
    way = ground.T.numpy()[:, None] + np.linspace(0, 1, 4001)[:, None] * path.T.numpy()[:, None]
    met = sum(inside(thing, way).sum(1) for thing in things)
    found = blocked(things, ground, path).numpy()
    covered = sum(inside(thing, way[:, 0] + [0, 0, 0.01]) for thing in things) > 0  # no ray of a camera gets there
    clear = ((met == 0) | (met > 3)) & ~covered
    assert 30 < (met > 3).sum() < 300
    assert (found == (met > 0))[clear].all()
    assert clear.mean() > 0.9


def test_masks_lie_where_pixel_coordinates_say() -> None:
    for index in range(8):
        scene, surface = draw_visible(2, "train", index, SIZE)
        masks = render_maps(scene, SIZE).masks
        described = describe(scene, "train", index, SIZE)["objects"]
        full = [(render_maps(alone_in(scene, k), SIZE).masks == 1).nonzero() for k in range(len(scene.items))]
        for number, (thing, pixels) in enumerate(zip(described, full, strict=True)):
            x, y, depth = thing["pixel_coords"]
            middle = (pixels.min(0).values + pixels.max(0).values + 1) / 2
            # Perspective moves the middle of an outline by little.
            assert middle.tolist() == pytest.approx([y, x], abs=2.0)
            nearer = [k for k, other in enumerate(described) if other["pixel_coords"][2] < depth]
            seen = int(masks[min(y, 119), min(x, 159)])
            assert seen == number + 1 or seen - 1 in nearer
            assert int((masks == number + 1).sum()) >= 0.45 * len(pixels)
        assert surface.cut == ()


def alone_in(scene: Scene, index: int) -> Scene:
    return replace(scene, items=(scene.items[index],))


def test_objects_left_and_right_of_each_other_are_so_in_the_picture() -> None:
    ordered = list[bool]()
    for index in range(8):
        scene, _ = draw_visible(4, "val", index, SIZE)
        described = describe(scene, "val", index, SIZE)
        columns = [thing["pixel_coords"][0] for thing in described["objects"]]
        at_one_depth = [thing["pixel_coords"][2] for thing in described["objects"]]
        for i, others in enumerate(described["relationships"]["right"]):
            for j in others:
                if abs(at_one_depth[i] - at_one_depth[j]) < 1:
                    ordered.append(columns[j] > columns[i])
    assert len(ordered) > 20
    assert all(ordered)


def test_depth_and_normals_of_a_sphere_are_those_of_geometry() -> None:
    scene = alone(item("sphere", x=0.4, y=0.3))
    maps = render_maps(scene, SIZE)
    x, y, _ = scene.camera.project(scene.items[0].center, SIZE)
    eye, center = np.array(scene.camera.position), np.array(scene.items[0].center)
    away = np.linalg.norm(center - eye)
    nearest = center - 0.7 * (center - eye) / away
    forward = np.array(scene.camera.axes[2])
    assert int(maps.depth[int(y), int(x)]) / 1000 == pytest.approx((nearest - eye) @ forward, abs=5e-3)
    normals = maps.normals.double() / 127.5 - 1
    towards = [np.array(axis) @ (eye - nearest) for axis in scene.camera.axes]
    expected = np.array([towards[0], towards[1], -towards[2]]) / np.linalg.norm(eye - nearest)
    assert normals[:, int(y), int(x)].numpy() == pytest.approx(expected, abs=0.08)
    assert (normals.norm(dim=0) - 1).abs().max() < 0.02
    up = [scene.camera.axes[k][2] for k in range(3)]
    assert normals[:, 0, 0].numpy() == pytest.approx([up[0], up[1], -up[2]], abs=0.01)


def test_depth_of_the_ground_is_where_rays_reach_it() -> None:
    scene = alone(item("cube", size="small"))
    maps = render_maps(scene, SIZE)
    for row, column in ((0, 0), (119, 159), (110, 20)):
        assert int(maps.masks[row, column]) == 0
        ray = scene.camera.rays(SIZE, 1)[:, row, column].double().numpy()
        landed = np.array(scene.camera.position) + int(maps.depth[row, column]) / 1000 * ray
        assert landed[2] == pytest.approx(0, abs=1e-3)
        u, v, _ = scene.camera.project(tuple(landed), SIZE)
        assert (u, v) == pytest.approx((column + 0.5, row + 0.5), abs=1e-3)


def test_shadows_fall_away_from_the_key_lamp() -> None:
    scene = alone(item("sphere"))
    bare = picture(alone(item("sphere", x=30.0))).double().mean(2)  # far out of the picture
    change = bare - picture(scene).double().mean(2)
    lamp = np.array(scene.lamps[0])
    away = -lamp[:2] / np.linalg.norm(lamp[:2])
    sides = {}
    for name, sign in (("away", 1), ("towards", -1)):
        x, y, _ = scene.camera.project((sign * away[0] * 1.1, sign * away[1] * 1.1, 0.0), SIZE)
        sides[name] = float(change[int(y), int(x)])
    assert sides["away"] > 25 > 12 > sides["towards"]


@pytest.mark.parametrize("material", MATERIALS)
def test_the_color_of_an_object_is_nearest_to_its_name(material: str) -> None:
    palette = np.array([chroma(np.array(rgb, float)) for rgb in COLORS.values()])
    for number, color in enumerate(COLORS):
        for shape in SHAPES:
            scene = alone(item(shape, color=color, material=material, size="small"))
            mask = render_maps(scene, SIZE).masks == 1
            mean = picture(scene)[mask].double().mean(0).numpy()
            assert np.linalg.norm(palette - chroma(mean), axis=1).argmin() == number, (color, shape)


def chroma(rgb: np.ndarray) -> np.ndarray:
    """Hue and saturation without brightness, but for a little of it, which tells brown from yellow."""
    spread = rgb - rgb.mean()
    return np.append(spread / 100, rgb.mean() / 400)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", ["large", "small"])
def test_metal_has_more_contrast_than_rubber(shape: str, size: str) -> None:
    contrast = {}
    for material in MATERIALS:
        scene = alone(item(shape, material=material, size=size))
        mask = render_maps(scene, SIZE).masks == 1
        contrast[material] = float(picture(scene)[mask].double().amin(1).std())
    assert contrast["metal"] > 1.5 * contrast["rubber"]
