"""Random scenes under CLEVR's placement rules, before rendering: objects, camera and lamps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Generator

from mtbench.contract import stream

from ..camera import Vector
from .camera import BEHIND, RIGHT, Camera
from .objects import COLORS, MATERIALS, RADII, SHAPES, Item

__all__ = ["COUNTS", "MARGIN", "MIN_DISTANCE", "Scene", "candidates"]

COUNTS = (3, 10)
"""Least and greatest number of objects, each number as likely."""
MARGIN = 0.4
"""Smallest distance of two centers along each of the directions right and behind."""
MIN_DISTANCE = 0.25
"""Least distance on the ground between the circles about two objects."""
HALF_WIDTH, HALF_DEPTH = 2.6, 3.0
"""Half the sides of the rectangle that centers lie in, along right and behind. CLEVR's is 3 by 3 along the diagonals of
the picture; here it has the shape of the picture, so that objects can be shown larger."""
ATTEMPTS = 300
"""Placements that are tried for one set of objects before other objects are drawn."""

DISTANCE, ELEVATION = 24.0, 40.0  # of the camera from the target, and its degrees above the ground
TARGET: Vector = (0.0, 0.0, 0.1)
LAMPS: tuple[Vector, ...] = ((-5.0, -3.5, 8.5), (6.5, -4.5, 5.0), (-1.5, 7.0, 5.5))
"""Key, fill and back lamp, along right, behind and up."""
JITTER = 1.0
"""The camera, and each lamp, is moved by at most so much along each axis."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The contents of one picture.

    Attributes:
        items: the objects.
        camera: the camera, jittered.
        lamps: positions of the key, fill and back lamp, jittered.
    """

    items: tuple[Item, ...]
    camera: Camera
    lamps: tuple[Vector, ...]


def candidates(seed: int, split: str, index: int) -> Iterator[Scene]:
    """Yield the scenes that are tried for one picture, until one is taken.

    They show the same objects at other places, so that crowded scenes do not get rid of large objects; only after 300
    placements other objects are drawn, as many as before.
    """
    generator = stream(seed, "clevr world", split, index)
    low, high = COUNTS
    count = low + int(_below(generator, high - low + 1))
    while True:
        items = [_item(generator) for _ in range(count)]
        for _ in range(ATTEMPTS):
            camera = _camera(generator)
            lamps = tuple(_moved(_world(lamp), generator) for lamp in LAMPS)
            placed = _place(items, camera, generator)
            if placed:
                yield Scene(items=placed, camera=camera, lamps=lamps)


def _item(generator: Generator) -> Item:
    sizes, colors = tuple(RADII), tuple(COLORS)
    return Item(
        shape=SHAPES[_below(generator, len(SHAPES))],
        size=sizes[_below(generator, len(sizes))],
        color=colors[_below(generator, len(colors))],
        material=MATERIALS[_below(generator, len(MATERIALS))],
        rotation=round(360 * float(torch.rand(1, generator=generator, dtype=torch.float64)), 6),
        x=0.0,
        y=0.0,
    )


def _camera(generator: Generator) -> Camera:
    elevation = math.radians(ELEVATION)
    away, up = -DISTANCE * math.cos(elevation), DISTANCE * math.sin(elevation)
    return Camera(position=_moved(_world((0.0, away, up)), generator), target=TARGET)


def _place(items: list[Item], camera: Camera, generator: Generator) -> tuple[Item, ...]:
    """Return the objects at random places that keep the rules, or none if this attempt fails.

    Coordinates along either direction keep the margin by construction; the objects, large ones first, then choose a
    pair of them that is far enough from those that stand already.
    """
    count = len(items)
    across, along = (_spaced(count, half, generator) for half in (HALF_WIDTH, HALF_DEPTH))
    places: dict[int, tuple[float, float, float]] = {}
    for index in sorted(range(count), key=lambda i: -RADII[items[i].size]):
        u, radius = across[index], RADII[items[index].size]
        fitting = (
            v
            for v in along
            if all(math.hypot(u - a, v - b) >= radius + r + MIN_DISTANCE for a, b, r in places.values())
        )
        v = next(fitting, None)
        if v is None:
            return ()
        along.remove(v)
        places[index] = (u, v, radius)
    right, behind = camera.directions["right"], camera.directions["behind"]
    placed = []
    for index, item in enumerate(items):
        u, v, _ = places[index]
        x, y = (round(u * a + v * b, 6) for a, b in zip(right[:2], behind[:2], strict=True))
        placed.append(replace(item, x=x, y=y))
    return tuple(placed)


def _spaced(count: int, half: float, generator: Generator) -> list[float]:
    """Return `count` numbers of -half to half in random order, uniform among those that keep the margin."""
    margin = MARGIN + 1e-4  # kept after coordinates are rounded
    room = 2 * half - (count - 1) * margin
    free = (room * torch.rand(count, generator=generator, dtype=torch.float64)).sort().values
    values = free + margin * torch.arange(count) - half
    order = torch.randperm(count, generator=generator)
    numbers: list[float] = values[order].tolist()
    return numbers


def _world(place: Vector) -> Vector:
    """Return a place given along right, behind and up in world coordinates."""
    u, v, z = place
    return (u * RIGHT[0] + v * BEHIND[0], u * RIGHT[1] + v * BEHIND[1], z)


def _moved(place: Vector, generator: Generator) -> Vector:
    x, y, z = (JITTER * (2 * torch.rand(3, generator=generator, dtype=torch.float64) - 1)).tolist()
    return (place[0] + x, place[1] + y, place[2] + z)


def _below(generator: Generator, bound: int) -> int:
    return int(torch.randint(bound, (1,), generator=generator))
