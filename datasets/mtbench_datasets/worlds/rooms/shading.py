"""Light in a room: lamps with soft shadows, light from everywhere that is less in corners, highlights."""

import torch
from torch import Tensor

from ..lamps import lamp_points
from .scene import FACES, Lamp, Scene
from .solids import blocked
from .surface import Surface

__all__ = ["shade"]

CORNER, CORNER_REACH = 0.45, 0.35  # of the light from everywhere that is missing in a corner, and meters it reaches
CONTACT, CONTACT_REACH = 0.6, 0.18  # likewise on the floor and on walls near a piece
FALLOFF = 2.2  # meters from a lamp at which half its light is left
POWER = 20.0
"""Sharpness of highlights."""
OFFSET = 2e-3


def shade(surface: Surface, samples: int) -> Tensor:
    """Return the light (3, R) that each ray of a picture sees, linear, 0 to 1 and beyond.

    Args:
        samples: rays per pixel along an axis. Each ray of a pixel uses another point of the lamps, which makes the
            borders of shadows soft.
    """
    scene, points = surface.scene, surface.points()
    normal = surface.normals(points)
    rays = surface.rays.flatten(1)
    view = -rays / rays.square().sum(0).sqrt()
    color, shine, glow = _paint(surface, points)
    light = torch.tensor(scene.ambient)[:, None] * (0.8 + 0.2 * normal[2]) * _openness(surface, points)
    gloss = torch.zeros_like(points)
    start = points + OFFSET * normal
    for lamp in scene.lamps:
        path = lamp_points(lamp.position, lamp.radius, surface.rays.shape[1:], samples) - start
        facing, bright = _facing(lamp, path, normal, view)
        towards = (facing > 0).nonzero()[:, 0]
        dark = towards[blocked(scene.pieces, start[:, towards], path[:, towards])]
        facing[dark] = bright[dark] = 0
        power = torch.tensor(lamp.power)[:, None]
        light = light + power * facing
        gloss += power * bright * shine
    return color * (light + glow) + gloss


def _facing(lamp: Lamp, path: Tensor, normal: Tensor, view: Tensor) -> tuple[Tensor, Tensor]:
    """Return how much of a lamp's light reaches surfaces (R,), shadows apart, and how bright its highlights are."""
    square = path.square().sum(0)
    to = path * square.rsqrt()
    reach = FALLOFF**2 / (FALLOFF**2 + square)
    if lamp.facing is not None:
        reach = reach * (-(torch.tensor(lamp.facing)[:, None] * to).sum(0)).clamp(min=0)
    half = to + view
    half = half * half.square().sum(0).clamp(min=1e-9).rsqrt()
    return reach * (to * normal).sum(0).clamp(min=0), reach * (half * normal).sum(0).clamp(min=0) ** POWER


def _paint(surface: Surface, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the color (3, R), the shine (R,) and the glow (R,) of the surface that each ray meets."""
    color = torch.empty_like(points)
    solids = surface.scene.solids
    for face, paint in enumerate(surface.scene.paints):
        rays = (surface.index == face).nonzero()[:, 0]
        color[:, rays] = paint.colors(points[:, rays])
    for solid, rays in surface.seen():
        color[:, rays] = solid.paint.colors(solid.local(points[:, rays]))
    paints = [*surface.scene.paints, *(solid.paint for solid in solids)]
    shine, glow = torch.tensor([(paint.shine, paint.glow) for paint in paints])[surface.index].T
    return color, shine, glow


def _openness(surface: Surface, points: Tensor) -> Tensor:
    """Return the fraction (R,) of the light from everywhere that gets there."""
    scene: Scene = surface.scene
    size = torch.tensor(scene.size)[:, None]
    away = torch.minimum(points, size - points)  # from the nearer wall along each axis
    lost = CORNER * torch.exp(-away.clamp(min=0) / CORNER_REACH)
    on_face = surface.index < len(FACES)
    own = torch.zeros_like(lost, dtype=torch.bool)
    own[surface.index[on_face] // 2, on_face.nonzero()[:, 0]] = True  # a wall does not take light from itself
    result = (1 - lost.masked_fill(own, 0)).prod(0)
    rays = on_face.nonzero()[:, 0]
    there, open_ = points[:, rays], torch.ones(len(rays))
    for piece in scene.pieces:
        if not any(solid.casts for solid in piece.solids):
            continue
        low, high = (torch.tensor(bound)[:, None] for bound in piece.bounds)
        gap = torch.maximum(low - there, there - high).clamp(min=0).square().sum(0).sqrt()
        open_ *= 1 - CONTACT * torch.exp(-gap / CONTACT_REACH)
    result[rays] *= open_
    return result
