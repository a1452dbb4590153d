"""A world's settings and the files that belong to each of its pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ...files import write_atomically
from .images import encode, is_whole
from .render import draw_visible, render, render_maps
from .scenes import describe, image_name

__all__ = ["MAPS", "RECIPE", "Recipe"]

RECIPE = 1
"""Raised whenever the same seed gives other bytes than before."""
MAPS = ("depth", "normals", "masks")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of a world: the same recipe gives the same bytes.

    Attributes:
        train, val: numbers of images.
        seed: of all draws.
        size: (height, width) of the images in pixels.
        maps: whether depth, normals and masks are written too.
    """

    train: int
    val: int
    seed: int
    size: tuple[int, int]
    maps: bool

    @property
    def counts(self) -> dict[str, int]:
        """Number of images of each split."""
        return {"train": self.train, "val": self.val}

    def pictures(self) -> Iterator[tuple[str, int]]:
        """Yield split and index of every picture, in order."""
        for split, count in self.counts.items():
            for index in range(count):
                yield split, index

    def files(self, split: str, index: int) -> tuple[str, ...]:
        """Return the files of a picture, relative to the world's folder: the image, then its maps."""
        rooms = ("images", *(MAPS if self.maps else ()))
        return tuple(f"{room}/{split}/{image_name(split, index)}" for room in rooms)

    def source(self, split: str, index: int) -> str:
        """Return the text that the files of a picture carry."""
        height, width = self.size
        return f"mtbench clevr world, recipe {RECIPE}, seed {self.seed}, {split} {index}, {width} x {height}"

    def settings(self) -> dict[str, Any]:
        """Return what ``mtbench-world.json`` says of it; size is [width, height], as ``pixel_coords`` count."""
        height, width = self.size
        return {
            "world": "clevr",
            "recipe": RECIPE,
            "seed": self.seed,
            "size": [width, height],
            "counts": self.counts,
            "maps": self.maps,
        }

    def make(self, folder: Path, split: str, index: int) -> tuple[dict[str, Any], bool]:
        """Draw a picture's scene, and write those of its files that are not whole.

        Returns:
            the scene, as an element of the scenes file, and whether the image was rendered.

        Raises:
            DataError: a file cannot be written.
        """
        scene, surface = draw_visible(self.seed, split, index, self.size)
        source = self.source(split, index)
        missing = [file for file in self.files(split, index) if not is_whole(folder / file, source)]
        wanted = {file.split("/")[0]: folder / file for file in missing}
        if "images" in wanted:
            write_atomically(wanted["images"], encode(render(scene, surface, self.size), source))
        if wanted.keys() - {"images"}:
            maps = render_maps(scene, self.size)
            contents: dict[str, torch.Tensor] = {
                "depth": maps.depth,
                "normals": maps.normals.permute(1, 2, 0).contiguous(),
                "masks": maps.masks,
            }
            for room in wanted.keys() & contents.keys():
                write_atomically(wanted[room], encode(contents[room], source))
        return describe(scene, split, index, self.size), "images" in wanted
