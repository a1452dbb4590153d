"""Scenes in the words of CLEVR's scene files, and the files themselves."""

import json
from collections.abc import Sequence
from typing import Any

from ..camera import Vector
from .placement import Scene, candidates

__all__ = ["EPSILON", "describe", "draw_scenes", "image_name", "scene_file"]

EPSILON = 0.2
"""Object j is right of i if it is farther along the direction right by more than this (the generator's rule)."""
RELATIONS = ("right", "behind", "front", "left")


def image_name(split: str, index: int) -> str:
    """Return the file name of an image, as in CLEVR v1.0."""
    return f"CLEVR_{split}_{index:06d}.png"


def describe(scene: Scene, split: str, index: int, size: tuple[int, int]) -> dict[str, Any]:
    """Return a scene as an element of a scenes file.

    Args:
        scene: the scene.
        split: ``train`` or ``val``.
        index: the index of the image within its split.
        size: (height, width) of the image, to which pixel coordinates refer.
    """
    objects = []
    for item in scene.items:
        x, y, depth = scene.camera.project(item.center, size)
        objects.append(
            {
                "3d_coords": [round(value, 6) for value in item.center],
                "pixel_coords": [round(x), round(y), round(depth, 6)],
                "rotation": item.rotation,
                "size": item.size,
                "color": item.color,
                "material": item.material,
                "shape": item.shape,
            }
        )
    directions = {name: [round(a, 9) for a in vector] for name, vector in scene.camera.directions.items()}
    centers = [item.center for item in scene.items]
    return {
        "image_index": index,
        "image_filename": image_name(split, index),
        "split": split,
        "objects": objects,
        "directions": directions,
        "relationships": {name: _related(centers, scene.camera.directions[name]) for name in RELATIONS},
    }


def draw_scenes(
    count: int, seed: int, split: str = "train", size: tuple[int, int] = (120, 160)
) -> list[dict[str, Any]]:
    """Return scenes under the rules of placement alone: nothing is rendered, so objects may be hidden by others.

    Args:
        count: number of scenes.
        seed: the seed of the world; the scenes are those that `write_world` tries first.
        split: ``train`` or ``val``.
        size: (height, width) of the images that pixel coordinates refer to.
    """
    return [describe(next(candidates(seed, split, index)), split, index, size) for index in range(count)]


def scene_file(split: str, scenes: Sequence[dict[str, Any]]) -> bytes:
    """Return the content of ``CLEVR_{split}_scenes.json``. Its date is fixed: the same scenes give the same bytes."""
    info = {
        "split": split,
        "version": "1.0",
        "date": "01/01/2026",
        "license": "Rendered by mtbench (MIT)",
    }
    return json.dumps({"info": info, "scenes": list(scenes)}, separators=(",", ":")).encode()


def _related(centers: Sequence[Vector], direction: Vector) -> list[list[int]]:
    """Return, for each object, the indices of those in the direction of it."""
    along = [sum(a * b for a, b in zip(center, direction, strict=True)) for center in centers]
    return [[j for j, b in enumerate(along) if j != i and b - a > EPSILON] for i, a in enumerate(along)]
