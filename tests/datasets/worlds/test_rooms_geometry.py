"""Rays meet rooms and solids where geometry says: closed forms and small steps."""

import math
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mtbench_datasets.worlds.camera import Pinhole
from mtbench_datasets.worlds.rooms.furniture import box
from mtbench_datasets.worlds.rooms.images import BASELINE, SAMPLES, Maps, draw_maps
from mtbench_datasets.worlds.rooms.paint import Paint
from mtbench_datasets.worlds.rooms.scene import VIEW, Scene
from mtbench_datasets.worlds.rooms.solids import Piece, Solid, blocked
from mtbench_datasets.worlds.rooms.surface import see
from mtbench_datasets.worlds.rooms.vocabulary import CLASSES, label

SIZE = (96, 128)
FOCAL = min(128 / 1.14, 96 / 0.855)
ROOM = (3.6, 5.0, 2.5)
EYE = (1.5, 0.5, 1.4)
GRAY = Paint(color=(0.5, 0.5, 0.5))
SHAPES: tuple[Literal["box", "cylinder", "ellipsoid"], ...] = ("box", "cylinder", "ellipsoid")
Array = NDArray[np.float64]


def room(*solids: Solid, yaw: float = 0.0, down: float = 0.0) -> Scene:
    """Return a bare room with some solids; the camera is turned to the right and tilted down by degrees."""
    a, b = math.radians(yaw), math.radians(down)
    ahead = (math.sin(a) * math.cos(b), math.cos(a) * math.cos(b), -math.sin(b))
    target = (EYE[0] + ahead[0], EYE[1] + ahead[1], EYE[2] + ahead[2])
    return Scene(
        size=ROOM,
        paints=(GRAY,) * 6,
        pieces=tuple(Piece(solids=(solid,)) for solid in solids),
        lamps=(),
        ambient=(1.0, 1.0, 1.0),
        exposure=0.3,
        noise=0.0,
        camera=Pinhole(position=EYE, target=target, view=VIEW),
    )


def maps(scene: Scene) -> Maps:
    return draw_maps(scene, see(scene, SIZE, SAMPLES), SIZE)


def offsets() -> tuple[Array, Array]:
    """Right and up of the center of each pixel from the middle of the picture, at a depth of 1: (H, W) each."""
    x, y = (np.arange(128) + 0.5 - 64) / FOCAL, (np.arange(96) + 0.5 - 48) / FOCAL
    return np.broadcast_to(x, SIZE), -np.broadcast_to(y[:, None], SIZE)


def ball(x: float, y: float, z: float, radius: float) -> Solid:
    half = (radius, radius, radius)
    return Solid(shape="ellipsoid", center=(x, y, z), half=half, paint=GRAY, label=label("object"))


def solid(shape: Literal["box", "cylinder", "ellipsoid"]) -> Solid:
    return Solid(shape=shape, center=(0.3, -0.2, 0.9), half=(0.8, 0.3, 0.6), turn=35.0, paint=GRAY, label=label("bed"))


def level(thing: Solid, points: Array) -> Array:
    """Return a function of points (..., 3) that is below 1 inside the solid."""
    x, y, z = np.moveaxis(points - np.array(thing.center), -1, 0)
    angle = math.radians(thing.turn)
    a, b = x * math.cos(angle) + y * math.sin(angle), -x * math.sin(angle) + y * math.cos(angle)
    a, b, c = (np.abs(value) / half for value, half in zip((a, b, z), thing.half, strict=True))
    if thing.shape == "box":
        return np.maximum(np.maximum(a, b), c)  # type: ignore[no-any-return]
    if thing.shape == "cylinder":
        return np.maximum(np.hypot(a, b), c)  # type: ignore[no-any-return]
    return np.sqrt(a**2 + b**2 + c**2)  # type: ignore[no-any-return]


def random_rays(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rays from above toward points about the solid, (3, count) each."""
    generator = torch.Generator().manual_seed(seed)
    origin = 4 * torch.rand(3, count, generator=generator) - 2
    origin[2] = 2 + origin[2].abs()
    target = torch.tensor([0.3, -0.2, 0.9])[:, None] + 2 * torch.rand(3, count, generator=generator) - 1
    return origin, target - origin


@pytest.mark.parametrize("shape", SHAPES)
def test_rays_enter_a_solid_where_small_steps_along_them_do(shape: Literal["box", "cylinder", "ellipsoid"]) -> None:
    thing = solid(shape)
    origin, direction = random_rays(300, 0)
    steps = np.linspace(0, 2, 4001)
    way = origin.T.double().numpy()[:, None] + steps[:, None] * direction.T.double().numpy()[:, None]  # (R, steps, 3)
    met = level(thing, way) < 1
    found = thing.entry(origin, direction).numpy()
    hits, grazing = met.any(1), met.sum(1) < 4  # met or missed by rounding
    assert 50 < hits.sum() < 250
    assert ((found < math.inf) == hits)[~grazing | ~hits & (found == math.inf)].all()
    assert found[hits & ~grazing] == pytest.approx(steps[met.argmax(1)][hits & ~grazing], abs=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_normals_of_a_solid_are_the_gradient_of_its_level(shape: Literal["box", "cylinder", "ellipsoid"]) -> None:
    thing = solid(shape)
    origin, direction = random_rays(300, 1)
    entry = thing.entry(origin, direction)
    rays = (entry < math.inf).nonzero()[:, 0]
    points = origin[:, rays] + entry[rays] * direction[:, rays]
    found = thing.normals(points).double().numpy()
    there, step = points.T.double().numpy(), 1e-5 * np.eye(3)
    assert level(thing, there) == pytest.approx(1, abs=1e-4)
    gradient = np.stack([level(thing, there + move) - level(thing, there - move) for move in step])
    expected = gradient / np.linalg.norm(gradient, axis=0)
    close = np.abs(found - expected).max(0) < 2e-3
    assert close.mean() > 0.98  # all but points at an edge, where the gradient is that of two faces
    assert len(rays) > 50


def test_light_is_blocked_where_small_steps_towards_its_source_meet_something() -> None:
    things = [solid("box"), ball(-1, 0.5, 0.4, 0.4), solid("cylinder")]
    pieces = [Piece(solids=(thing,)).placed(1.2 * k, 0.3 * k, 0, 20 * k) for k, thing in enumerate(things)]
    generator = torch.Generator().manual_seed(2)
    ground = 6 * torch.rand(3, 500, generator=generator) - 2
    ground[2] = 1e-3
    path = torch.tensor([0.5, -2.0, 2.5])[:, None] - ground
    way = ground.T.double().numpy()[:, None] + np.linspace(0, 1, 3001)[:, None] * path.T.double().numpy()[:, None]
    met = sum((level(piece.solids[0], way) < 1).sum(1) for piece in pieces)
    clear = (met == 0) | (met > 3)
    found = blocked(pieces, ground, path).numpy()
    assert 30 < (met > 3).sum() < 400
    assert (found == (met > 0))[clear].all()
    assert clear.mean() > 0.95


def test_depth_and_normals_of_walls_straight_ahead_and_aside_are_those_of_geometry() -> None:
    found, (right, up) = maps(room()), offsets()
    ahead = np.full(SIZE, ROOM[1] - EYE[1])
    with np.errstate(divide="ignore"):
        aside = np.where(right < 0, -EYE[0] / right, (ROOM[0] - EYE[0]) / right)
        level_ = np.where(up < 0, -EYE[2] / up, (ROOM[2] - EYE[2]) / up)
    expected = np.minimum(np.minimum(ahead, aside), level_)
    assert found.depth[..., 0] == pytest.approx(expected, rel=1e-5)
    at = found.normal[48, 64], found.normal[48, 2], found.normal[48, 125], found.normal[94, 64], found.normal[1, 64]
    facing = [(0, 0, 1), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)]
    for normal, expected_normal in zip(at, facing, strict=True):
        assert normal == pytest.approx(expected_normal, abs=1e-6)
    names = [CLASSES[int(found.label[row, column])] for row, column in ((48, 64), (48, 2), (94, 64), (1, 64))]
    assert names == ["wall", "wall", "floor", "ceiling"]


@pytest.mark.parametrize(("yaw", "down"), [(25.0, 0.0), (-30.0, 12.0), (10.0, 24.0)])
def test_depth_and_normals_of_a_turned_camera_are_those_of_geometry(yaw: float, down: float) -> None:
    found, (right, up) = maps(room(yaw=yaw, down=down)), offsets()
    a, b = math.radians(yaw), math.radians(down)
    # Columns: right, up and backwards of the camera in the room's axes.
    axes = np.array(
        [
            [math.cos(a), math.sin(a) * math.sin(b), -math.sin(a) * math.cos(b)],
            [-math.sin(a), math.cos(a) * math.sin(b), -math.cos(a) * math.cos(b)],
            [0, math.cos(b), math.sin(b)],
        ]
    )
    rays = np.stack([right, up, -np.ones(SIZE)], -1) @ axes.T
    nearest = np.full(SIZE, np.inf)
    normals = np.zeros((*SIZE, 3))
    for axis in range(3):
        for end, sign in ((0.0, 1), (ROOM[axis], -1)):
            with np.errstate(divide="ignore"):
                distance = (end - EYE[axis]) / rays[..., axis]
            nearer = (distance > 0) & (distance < nearest)
            nearest[nearer] = distance[nearer]
            normals[nearer] = sign * axes[axis]
    assert found.depth[..., 0] == pytest.approx(nearest, rel=1e-4)
    same = np.abs(found.normal - normals).max(2) < 1e-5
    assert same.mean() > 0.999  # all but pixels in a corner


def test_depth_and_normals_of_a_ball_are_those_of_geometry() -> None:
    x, y, z, radius = 1.8, 2.6, 1.2, 0.45
    found, (right, up) = maps(room(ball(x, y, z, radius))), offsets()
    rays = np.stack([right, up, -np.ones(SIZE)], -1)
    center = np.array([x - EYE[0], z - EYE[2], -(y - EYE[1])])  # right, up, backwards
    square, along = (rays**2).sum(-1), rays @ center
    root = along**2 - square * (center @ center - radius**2)
    hit = root > 0
    depth = (along - np.sqrt(root.clip(0))) / square
    normals = (depth[..., None] * rays - center) / radius
    cosine = -(normals * rays).sum(-1) / np.sqrt(square)
    clear = hit & (cosine > 0.2)
    assert clear.sum() > 900
    seen = found.label == label("object")
    assert not seen[~hit].any()
    assert (found.label[hit & ~seen] == -1).all()  # at the edge
    assert (hit & ~seen).sum() < 0.1 * hit.sum()
    assert found.depth[clear, 0] == pytest.approx(depth[clear], rel=1e-4)
    assert found.normal[clear] == pytest.approx(normals[clear], abs=2e-3)
    assert (found.depth[hit & (cosine < 0.08)] == 0).all()  # grazing
    assert (found.normal[hit & (cosine < 0.08)] == 0).all()


def test_the_sensor_sees_nothing_in_the_shadow_of_its_projector_left_of_a_thing() -> None:
    near, far = 1.5, ROOM[1] - EYE[1]
    thing = box("cabinet", GRAY, (1.2, EYE[1] + near, 0.6), (1.8, EYE[1] + near + 0.1, 2.2))
    found = maps(room(thing))
    row = found.depth[40, :, 0]
    assert CLASSES[int(found.label[40, 64])] == "cabinet"
    assert row[64] == pytest.approx(near, rel=1e-5)
    unknown = np.flatnonzero(row == 0)
    # The wall at a pixel is hidden from the projector if the thing is there at that pixel, moved by this many.
    width = FOCAL * BASELINE * (1 / near - 1 / far)
    assert 3 < width < 5
    assert len(unknown) in (math.floor(width), math.ceil(width))
    assert unknown.tolist() == list(range(unknown[0], unknown[-1] + 1))
    assert row[unknown[-1] + 1] == pytest.approx(near, rel=1e-5)
    assert row[unknown[0] - 1] == pytest.approx(far, rel=1e-5)
    assert (found.normal[40, unknown] == 0).all()
    assert CLASSES[int(found.label[40, unknown[0]])] == "wall"


def test_glass_has_a_class_but_neither_depth_nor_normal() -> None:
    pane = box("window", GRAY, (1.0, 4.98, 1.0), (2.0, 5.0, 2.0), glass=True)
    found = maps(room(pane))
    mine = found.label == label("window")
    assert mine.sum() > 500
    assert (found.depth[mine] == 0).all()
    assert (found.normal[mine] == 0).all()
    assert (found.depth[found.label == label("wall")] > 0).all()


def test_a_pixel_of_which_a_class_has_half_or_less_is_undefined() -> None:
    # The floor ends at the wall ahead in the middle of the pixels of a row: two rays of four are above, two below.
    height = (96 // 2 + 30.5 - 48) / FOCAL * (ROOM[1] - EYE[1])
    scene = room()
    moved = Pinhole(position=(2, 0.5, height), target=(2, 1.5, height), view=VIEW)
    found = maps(
        Scene(**{name: getattr(scene, name) for name in scene.__dataclass_fields__ if name != "camera"}, camera=moved)
    )
    assert CLASSES[int(found.label[48 + 29, 64])] == "wall"
    assert found.label[48 + 30, 64] == -1
    assert CLASSES[int(found.label[48 + 31, 64])] == "floor"
    assert (found.depth[48 + 29 : 48 + 32, 64] > 0).all()
