"""Light on the surfaces of a scene: three lamps with soft shadows, rubber and metal, a bright room above the ground."""

import math

import torch
from torch import Tensor

from .objects import COLORS, Item
from .placement import Scene
from .primitives import blocked, entry, normals
from .surface import GROUND, Surface

__all__ = ["GAMMA", "shade"]

GAMMA = 2.2
GROUND_COLOR = 0.40  # linear, as everything below
AMBIENT, SKY = 0.16, 0.22  # light from everywhere, and more of it from above
LAMP_POWER = (0.78, 0.26, 0.16)  # on a surface that faces the lamp
LAMP_RADIUS = (0.7, 0.7, 0.7)
SHADOW_LAMPS = 2  # key and fill; the back lamp casts none
RUBBER_SHINE, RUBBER_POWER = 0.10, 14.0
METAL_DIFFUSE = 0.22
OFFSET = 1e-3


def shade(scene: Scene, surface: Surface, samples: int) -> Tensor:
    """Return the light (3, R) that each ray of a picture sees, linear, 0 to 1 and beyond.

    Args:
        scene: objects, camera and lamps.
        surface: what the rays meet, from `see` with as many samples.
        samples: rays per pixel along an axis. Each ray of a pixel looks at another point of the lamps, which makes the
            borders of shadows soft.
    """
    points = surface.points(scene)
    normal = surface.normals(scene, points, rounded=True)
    rays = surface.rays.flatten(1)
    view = -rays / rays.square().sum(0).sqrt()
    albedo, metal = _paint(scene.items, surface.index)
    diffuse = _ambient(normal[2]) * _openness(scene, points, surface.index)
    shine = torch.zeros_like(diffuse)
    glossy = (surface.index != GROUND).nonzero()[:, 0]
    for number, lamp in enumerate(scene.lamps):
        to = _lamp_points(lamp, LAMP_RADIUS[number], surface.rays.shape[1:], samples) - points
        if number < SHADOW_LAMPS:
            lit = torch.ones_like(diffuse)
            start = points + OFFSET * normal
            for item in scene.items:
                lit[blocked(item, start, to)] = 0
        else:
            lit = torch.ones(())
        to = to / to.square().sum(0).sqrt()
        facing = (to * normal).sum(0).clamp(min=0)
        diffuse += LAMP_POWER[number] * facing * lit
        half = to[:, glossy] + view[:, glossy]
        half = half / half.square().sum(0).sqrt()
        bright = (half * normal[:, glossy]).sum(0).clamp(min=0) ** RUBBER_POWER
        shine[glossy] += RUBBER_SHINE * LAMP_POWER[number] * bright * (lit[glossy] if lit.ndim else 1)
    light = albedo * diffuse + shine * (1 - metal)
    mirror = (metal > 0).nonzero()[:, 0]
    if len(mirror):
        reflected = _reflected(scene, points[:, mirror], normal[:, mirror], view[:, mirror])
        grazing = (1 - (view[:, mirror] * normal[:, mirror]).sum(0).clamp(0, 1)) ** 5
        tint = albedo[:, mirror] ** 0.8
        tint = tint + (1 - tint) * (0.06 + 0.5 * grazing)
        light[:, mirror] = METAL_DIFFUSE * light[:, mirror] + tint * reflected[0] + reflected[1]
    return light


def _paint(items: tuple[Item, ...], index: Tensor) -> tuple[Tensor, Tensor]:
    """Return the linear color (3, R) and whether it is metal (R,), 1 or 0, of what each ray meets."""
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

    Each object takes away what a sphere in its place does, r² cos / d² (the form factor of a sphere).
    """
    result = torch.ones(points.shape[1])
    ground = (index == GROUND).nonzero()[:, 0]
    there = points[:, ground]
    open_ = torch.ones(len(ground))
    for item in scene.items:
        x, y, half = item.center
        square = (there[0] - x) ** 2 + (there[1] - y) ** 2 + half**2
        open_ *= 1 - 0.8 * (half**3 * square**-1.5).clamp(max=1)
    result[ground] = open_
    return result


def _lamp_points(lamp: tuple[float, float, float], radius: float, shape: torch.Size, samples: int) -> Tensor:
    """Return the point of a lamp that each ray looks at, (3, R): a grid over a square, another cell for each ray of a
    pixel, turned from pixel to pixel so that no steps are seen."""
    height, width = shape
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    cell_y, cell_x = rows % samples, columns % samples
    # A 2 x 2 pattern of shifts within a cell, over pixels.
    shift_y = ((rows // samples + columns // samples) % 2) * 0.5 + 0.25
    shift_x = ((columns // samples) % 2) * 0.5 + 0.25
    across = ((cell_x + shift_x) / samples * 2 - 1).expand(height, width) * radius
    along = ((cell_y + shift_y) / samples * 2 - 1).expand(height, width) * radius
    x, y, z = lamp
    return torch.stack([x + across, y + along, torch.full((height, width), z)]).flatten(1)


def _reflected(scene: Scene, points: Tensor, normal: Tensor, view: Tensor) -> tuple[Tensor, Tensor]:
    """Return what metal mirrors: the surroundings (3, R), to be tinted, and the lamps (1, R), which stay white."""
    direction = 2 * (view * normal).sum(0) * normal - view
    direction = direction / direction.square().sum(0).sqrt()
    start = points + OFFSET * normal
    up = direction[2]
    # A room: dark walls at the horizon, brighter towards the ceiling.
    room = 0.12 + 1.15 * up.clamp(0, 1) ** 1.2
    away = (start[2] / (-up).clamp(min=1e-3)).clamp(max=20)
    floor = GROUND_COLOR * 0.75 * (0.35 + 0.65 * torch.exp(-away / 6))
    seen = torch.where(up >= 0, room, floor).expand(3, -1).clone()
    lamps = torch.zeros(1, points.shape[1])
    for power, lamp in zip(LAMP_POWER, scene.lamps, strict=True):
        to = torch.tensor(lamp)[:, None] - start
        to = to / to.square().sum(0).sqrt()
        near = (to * direction).sum(0)
        lamps += (1.1 + power) * _step(near, math.cos(math.radians(15)), math.cos(math.radians(9)))
    nearest = torch.full_like(up, math.inf)
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
        lamps[:, hit] = 0
    return seen, lamps


def _step(values: Tensor, low: float, high: float) -> Tensor:
    """Return a smooth step from 0 at low to 1 at high."""
    t = ((values - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)
