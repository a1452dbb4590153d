"""The images of one part of a dataset, decoded into a cache below the data root."""

from collections.abc import Sequence
from pathlib import Path

import torch

from .cache import FolderCache
from .decode import RECIPE, decode

__all__ = ["ImageFolder"]


class ImageFolder(FolderCache):
    """The images of one part of a dataset, decoded once into a memory map of uint8 (N, 3, H, W).

    Args:
        stem: a name such as ``clevr-train``, unique below the data root.
        files: PNG or JPEG files, in the order of the rows.
        size: (H, W) that is trained on.
        root: the data root.
        owner: the dataset as the person wrote it, for errors.
        help: a sentence on where to get the dataset.
        original: (H, W) that every file must have; None for any size.
        crop, nearest: see `decode`; part of the names of the cache's files where they are used.
    """

    def __init__(
        self,
        *,
        stem: str,
        files: Sequence[Path],
        size: tuple[int, int],
        root: Path,
        owner: str,
        help: str = "",
        original: tuple[int, int] | None = None,
        crop: tuple[int, int] | None = None,
        nearest: bool = False,
    ) -> None:
        self.original, self.crop, self.nearest = original, crop, nearest
        way = (f"crop{crop[0]}x{crop[1]}-" if crop else "") + ("nearest-" if nearest else "")
        super().__init__(
            stem=stem,
            name=f"{stem}-{way}{size[0]}x{size[1]}-v{RECIPE}",
            files=files,
            size=size,
            shape=(3, *size),
            dtype=torch.uint8,
            root=root,
            owner=owner,
            help=help,
        )

    def convert(self, path: Path, mend: str) -> bytes:
        return decode(path, self.size, mend, self.help, self.original, self.crop, nearest=self.nearest)
