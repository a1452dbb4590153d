"""Pictures and maps of scenes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..lamps import GAMMA
from .placement import Scene, candidates
from .shading import shade
from .surface import Surface, all_visible, see

__all__ = ["SAMPLES", "Maps", "draw_visible", "render", "render_maps"]

SAMPLES = 2
"""Rays per pixel along each axis."""
DEPTH_STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class Maps:
    """Dense labels of a picture, at the centers of its pixels.

    Attributes:
        depth: (H, W) int32, thousandths of a unit along the optical axis.
        normals: (3, H, W) uint8, 127.5 (n + 1) of unit normals in the camera's axes: right, up, toward the camera.
        masks: (H, W) uint8, 1 + the index of the object, 0 for the ground.
    """

    depth: Tensor
    normals: Tensor
    masks: Tensor


def draw_visible(seed: int, split: str, index: int, size: tuple[int, int]) -> tuple[Scene, Surface]:
    """Return the first scene drawn for an image of which every object is seen well enough, and its surface."""
    for scene in candidates(seed, split, index):
        surface = see(scene, size, SAMPLES)
        if all_visible(surface):
            return scene, surface
    raise AssertionError("unreachable")


def render(scene: Scene, surface: Surface, size: tuple[int, int]) -> Tensor:
    """Return the picture of a scene, (H, W, 3) uint8 sRGB. The surface is that of `draw_visible`."""
    height, width = size
    light = shade(scene, surface, SAMPLES).clamp(0, 1)
    pixels = light.view(3, height, SAMPLES, width, SAMPLES).mean((2, 4)) ** (1 / GAMMA)
    return (255 * pixels + 0.5).floor().to(torch.uint8).permute(1, 2, 0).contiguous()


def render_maps(scene: Scene, size: tuple[int, int]) -> Maps:
    """Return depth, normals and objects of a scene at the centers of the pixels."""
    surface = see(scene, size, 1)
    world = surface.normals(scene, surface.points(scene), rounded=False)
    right, up, forward = torch.tensor(scene.camera.axes)
    seen = torch.stack([right, up, -forward]) @ world  # (3, R)
    return Maps(
        depth=(DEPTH_STEPS * surface.depth + 0.5).floor().to(torch.int32).view(size),
        normals=(127.5 * (seen + 1) + 0.5).floor().clamp(0, 255).to(torch.uint8).view(3, *size),
        masks=(surface.index + 1).to(torch.uint8).view(size),
    )
