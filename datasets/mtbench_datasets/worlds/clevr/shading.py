"""Light on the surfaces of a scene: three lamps with soft shadows, rubber and metal, a bright room above the ground."""

import math

import torch
from torch import Tensor

from ..lamps import GAMMA, lamp_points
from .objects import COLORS, Item
from .placement import Scene
from .primitives import blocked, entry, normals
from .surface import GROUND, Surface

__all__ = ["shade"]

GROUND_COLOR = 0.40  # linear, as everything below
AMBIENT, SKY = 0.16, 0.22  # light from everywhere, and more of it from above
LAMP_POWER = (0.78, 0.26, 0.16)  # on a surface that faces the lamp
LAMP_RADIUS = 0.8
CONTACT = 0.8  # of the room's light that is missing right under a sphere
SHADOW_LAMPS = 2  # key and fill; the back lamp casts none
RUBBER_SHINE, RUBBER_POWER = 0.10, 14.0
METAL_DIFFUSE, METAL_TINT, METAL_COAT = 0.15, 1.2, 0.3
LAMP_DISC = (math.cos(math.radians(11)), math.cos(math.radians(6)))  # how large metal mirrors a lamp, with a soft rim
WINDOW_POWER = (1.0, 0.6)
WINDOW = (math.cos(math.radians(38)), math.cos(math.radians(18)))
OFFSET = 1e-3


def shade(scene: Scene, surface: Surface, samples: int) -> Tensor:
    """Return the light (3, R) that each ray of a picture sees, linear, 0 to 1 and beyond.

    Args:
        scene: objects, camera and lamps.
        surface: the surface that the rays meet, from `see` with the same number of samples.
        samples: rays per pixel along an axis. Each ray of a pixel uses another point of the lamps, which makes the
            borders of shadows soft.
    """
    points = surface.points(scene)
    normal = surface.normals(scene, points, rounded=True)
    rays = surface.rays.flatten(1)
    view = -rays / rays.square().sum(0).sqrt()
    albedo, metal = _paint(scene.items, surface.index)
    diffuse = _ambient(normal[2]) * _openness(scene, points, surface.index)
    shine = torch.zeros_like(diffuse)
    start = points + OFFSET * normal
    glossy = (surface.index != GROUND).nonzero()[:, 0]
    for number, lamp in enumerate(scene.lamps):
        lit = torch.ones_like(diffuse)
        if number < SHADOW_LAMPS:
            path = lamp_points(lamp, LAMP_RADIUS, surface.rays.shape[1:], samples) - start
            lit[blocked(scene.items, start, path)] = 0
        to = torch.tensor(lamp)[:, None] - points
        nearness = to.square().sum(0).rsqrt()
        facing = ((to * normal).sum(0) * nearness).clamp(min=0)
        diffuse += LAMP_POWER[number] * facing * lit
        half = to[:, glossy] * nearness[glossy] + view[:, glossy]
        half = half / half.square().sum(0).sqrt()
        bright = (half * normal[:, glossy]).sum(0).clamp(min=0) ** RUBBER_POWER
        shine[glossy] += RUBBER_SHINE * LAMP_POWER[number] * bright * lit[glossy]
    light = albedo * diffuse + shine * (1 - metal)
    mirror = (metal > 0).nonzero()[:, 0]
    if len(mirror):
        seen, lamps = _reflected(scene, points[:, mirror], normal[:, mirror], view[:, mirror])
        grazing = (1 - (view[:, mirror] * normal[:, mirror]).sum(0).clamp(0, 1)) ** 5
        tint = METAL_TINT * albedo[:, mirror]
        tint = tint + (1 - tint.clamp(max=1)) * 0.4 * grazing
        light[:, mirror] = METAL_DIFFUSE * light[:, mirror] + tint * seen + lamps
    return light


def _paint(items: tuple[Item, ...], index: Tensor) -> tuple[Tensor, Tensor]:
    """Return the linear color (3, R) of the surface that each ray meets, and 1 or 0 (R,) for metal or not."""
    colors = torch.tensor([(GROUND_COLOR,) * 3, *(linear(item) for item in items)])
    metals = torch.tensor([0.0, *(float(item.material == "metal") for item in items)])
    return colors.T[:, index + 1], metals[index + 1]


def linear(item: Item) -> tuple[float, float, float]:
    """Return the color of an object as linear light."""
    red, green, blue = ((value / 255) ** GAMMA for value in COLORS[item.color])
    return red, green, blue


def _ambient(up: Tensor) -> Tensor:
    return AMBIENT + SKY * (0.5 + 0.5 * up)


def _openness(scene: Scene, points: Tensor, index: Tensor) -> Tensor:
    """Return the fraction (R,) of the room's light that reaches the ground near objects; 1 on objects.

    Each object removes the light that a sphere in its place does: the form factor r² cos / d² = (r / d)³ of the ground
    there.
    """
    result = torch.ones(points.shape[1])
    ground = (index == GROUND).nonzero()[:, 0]
    there = points[:, ground]
    open_ = torch.ones(len(ground))
    for item in scene.items:
        x, y, half = item.center
        square = (there[0] - x) ** 2 + (there[1] - y) ** 2 + half**2
        open_ *= 1 - CONTACT * (half * square.rsqrt()) ** 3
    result[ground] = open_
    return result


def _reflected(scene: Scene, points: Tensor, normal: Tensor, view: Tensor) -> tuple[Tensor, Tensor]:
    """Return the reflections of metal: surroundings (3, R), which it tints, and light (R,) that stays white."""
    direction = 2 * (view * normal).sum(0) * normal - view
    direction = direction / direction.square().sum(0).sqrt()
    start = points + OFFSET * normal
    seen = _room(scene, start, direction).expand(3, -1).clone()
    lamps = METAL_COAT * direction[2].clamp(0, 1)
    for power, lamp in zip(LAMP_POWER, scene.lamps, strict=True):
        to = torch.tensor(lamp)[:, None] - start
        near = (to * direction).sum(0) / to.square().sum(0).sqrt()
        lamps += (0.3 + 0.6 * power) * _step(near, *LAMP_DISC)
    nearest = torch.full_like(lamps, math.inf)
    for item in scene.items:
        distance = entry(item, start, direction)
        hit = (distance < nearest).nonzero()[:, 0]
        if not len(hit):
            continue
        nearest[hit] = distance[hit]
        there = start[:, hit] + distance[hit] * direction[:, hit]
        facing = normals(item, there, rounded=True)
        to = torch.tensor(scene.lamps[0])[:, None] - there
        lambert = (to / to.square().sum(0).sqrt() * facing).sum(0).clamp(min=0)
        seen[:, hit] = torch.tensor(linear(item))[:, None] * (_ambient(facing[2]) + LAMP_POWER[0] * lambert)
        lamps[hit] = 0
    return seen, lamps


def _room(scene: Scene, start: Tensor, direction: Tensor) -> Tensor:
    """Return the light (R,) of the room along directions.

    It has a bright ceiling, a floor that is dark where an object stands, and two tall windows, toward the key and the
    fill lamp, which draw bright stripes on what is upright.
    """
    up = direction[2]
    away = start[2].clamp(min=0) / (-up).clamp(min=1e-3)
    floor = 0.02 + 0.5 * (1 - torch.exp(-away / 0.7))
    room = torch.where(up >= 0, 0.12 + 0.78 * up.clamp(0, 1), floor)
    level = direction[:2] / direction[:2].square().sum(0).sqrt().clamp(min=1e-6)
    for power, lamp in zip(WINDOW_POWER, scene.lamps, strict=False):
        length = math.hypot(lamp[0], lamp[1])
        near = level[0] * (lamp[0] / length) + level[1] * (lamp[1] / length)
        room = room + power * _step(near, *WINDOW) * _step(-up.abs(), -0.95, -0.75)
    return room


def _step(values: Tensor, low: float, high: float) -> Tensor:
    """Return a smooth step from 0 at low to 1 at high."""
    t = ((values - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)
