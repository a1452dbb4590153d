"""The arrays of a picture in NYUv2's preprocessed format: the picture of a camera, and the data of a depth sensor."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..draws import Draws
from ..lamps import GAMMA
from .scene import Scene
from .shading import shade
from .solids import blocked
from .surface import Surface, see
from .vocabulary import UNDEFINED

__all__ = ["BASELINE", "SAMPLES", "Maps", "draw_image", "draw_maps"]

SAMPLES = 2
"""Rays per pixel along each axis."""
BASELINE = 0.075
"""Distance in meters of the sensor's projector to the right of the camera, as in a Kinect."""
GRAZING = 0.1
"""Cosine of the angle between ray and normal below which the sensor gets nothing back: 84 degrees."""
OFFSET = 2e-3


@dataclass(frozen=True, kw_only=True)
class Maps:
    """Dense labels of a picture, float32, at the centers of its pixels.

    Attributes:
        label: (H, W) whole numbers, classes; -1 where undefined.
        depth: (H, W, 1) meters along the optical axis; 0 where undefined.
        normal: (H, W, 3) unit normals toward the camera in its axes right, up and backwards, so that z is positive in
            the middle of the picture; (0, 0, 0) where undefined, at the same pixels as depth.
    """

    label: NDArray[np.float32]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]


def draw_image(scene: Scene, surface: Surface, draws: Draws, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the picture (H, W, 3) of a scene, float32, multiples of 1/255 from 0 to 1.

    Args:
        surface: the surfaces that the rays meet, from `see` with `SAMPLES`.
        draws: the camera's noise.
    """
    height, width = size
    light = shade(surface, SAMPLES)
    light = light * (scene.exposure / light.clamp(max=2).mean())
    pixels = _shoulder(light).view(3, height, SAMPLES, width, SAMPLES).mean((2, 4)) ** (1 / GAMMA)
    noise = torch.from_numpy(draws.array(2, 3, height, width)).float().sum(0) - 1  # of variance 1/6
    pixels = (pixels + scene.noise * 6**0.5 * noise).clamp(0, 1)
    return ((255 * pixels + 0.5).floor() / 255).permute(1, 2, 0).contiguous().numpy()


def draw_maps(scene: Scene, surface: Surface, size: tuple[int, int]) -> Maps:
    """Return the labels of a scene.

    A pixel's label is undefined where nobody named the thing, or where at most half of the pixel's rays meet the class
    at its center. Depth and normal are undefined at glass, at a grazing angle, and where the light of the sensor's
    projector does not get, since it stands beside the camera: left of what stands before something else.

    Args:
        surface: the surfaces that the rays of the picture meet, from `see` with `SAMPLES`.
    """
    middle = see(scene, size, 1)
    points = middle.points()
    normal = middle.normals(points)
    right, up, forward = torch.tensor(scene.camera.axes)
    unknown = _unseen(scene, middle, points, normal, right)
    depth = middle.depth.masked_fill(unknown, 0)
    seen = (torch.stack([right, up, -forward]) @ normal).masked_fill(unknown, 0)
    return Maps(
        label=_labels(middle, surface, size).float().numpy(),
        depth=depth.view(*size, 1).numpy(),
        normal=seen.T.reshape(*size, 3).numpy(),
    )


def _labels(middle: Surface, surface: Surface, size: tuple[int, int]) -> Tensor:
    """Return the labels (H, W), -1 where undefined."""
    height, width = size
    labels = middle.labels().view(size)
    around = surface.labels().view(height, SAMPLES, width, SAMPLES)
    agree = (around == labels[:, None, :, None]).sum((1, 3))
    return labels.where(2 * agree > SAMPLES**2, UNDEFINED)


def _unseen(scene: Scene, middle: Surface, points: Tensor, normal: Tensor, right: Tensor) -> Tensor:
    """Return True (R,) where the depth sensor gets nothing back."""
    rays = middle.rays.flatten(1)
    cosine = -(rays * normal).sum(0) / rays.square().sum(0).sqrt()
    projector = torch.tensor(scene.camera.position) + BASELINE * right
    start = points + OFFSET * normal
    return middle.glass() | (cosine < GRAZING) | blocked(scene.pieces, start, projector[:, None] - start)


def _shoulder(light: Tensor) -> Tensor:
    """Return light without the part that is too bright: linear up to .7, then bending toward 1."""
    return torch.where(light < 0.7, light, 1 - 0.3 * torch.exp(-(light - 0.7).clamp(min=0) / 0.3))
