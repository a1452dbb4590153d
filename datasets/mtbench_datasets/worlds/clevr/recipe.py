"""A world's settings and the files that belong to each of its pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ...files import write_atomically
from ..crew import Picture
from .images import encode, is_whole
from .render import draw_visible, render, render_maps
from .scenes import describe, image_name, scene_file

__all__ = ["MAPS", "RECIPE", "Recipe"]

RECIPE = 1
"""Raised whenever the same seed gives other bytes than before."""
MAPS = ("depth", "normals", "masks")
BYTES, BYTES_WITH_MAPS = 0.75, 1.5
"""Approximate size of a picture on a disk of blocks of 4 KiB, in bytes per pixel; without maps and with them."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of a world: the same recipe gives the same bytes.

    Attributes:
        train, val: numbers of images.
        seed: the seed of all draws.
        size: (height, width) of the images in pixels.
        maps: True if depth, normals and masks are written too.
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

    @property
    def space(self) -> int:
        height, width = self.size
        return round(height * width * (BYTES_WITH_MAPS if self.maps else BYTES))

    @property
    def shape(self) -> str:
        height, width = self.size
        return f"{width} x {height}"

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(f"scenes/CLEVR_{split}_scenes.json" for split in self.counts)

    def pictures(self) -> Iterator[Picture]:
        """Yield split and index of every picture, in order."""
        for split, count in self.counts.items():
            for index in range(count):
                yield split, index

    def files(self, picture: Picture) -> tuple[str, ...]:
        """Return the files of a picture, relative to the world's folder: the image, then its maps."""
        split, index = picture
        rooms = ("images", *(MAPS if self.maps else ()))
        return tuple(f"{room}/{split}/{image_name(split, index)}" for room in rooms)

    def is_whole(self, folder: Path, picture: Picture, file: str) -> bool:
        return is_whole(folder / file, self.source(picture))

    def source(self, picture: Picture) -> str:
        """Return the text that the files of a picture carry."""
        (split, index), (height, width) = picture, self.size
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

    def make(self, folder: Path, picture: Picture) -> tuple[dict[str, Any], bool]:
        """Draw a picture's scene, and write its files that are not complete.

        Returns:
            the scene, as an element of the scenes file, and True if the image was rendered.

        Raises:
            DataError: a file cannot be written.
        """
        split, index = picture
        scene, surface = draw_visible(self.seed, split, index, self.size)
        source = self.source(picture)
        missing = [file for file in self.files(picture) if not is_whole(folder / file, source)]
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

    def describe(self, described: Mapping[Picture, Any]) -> Iterator[tuple[str, bytes]]:
        for (split, count), table in zip(self.counts.items(), self.tables, strict=True):
            yield table, scene_file(split, [described[split, index] for index in range(count)])
