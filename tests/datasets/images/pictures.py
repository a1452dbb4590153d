"""Small image files of random pixels, and the cache of a folder of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from mtbench.contract import Split
from mtbench_datasets.images import ImageFolder, Mapped

HELP = "The pictures can be had from nowhere."


def write_pictures(folder: Path, count: int, size: tuple[int, int] = (9, 12)) -> list[Path]:
    """Write PNG files of that size (H, W), each of other pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:05}.png" for number in range(count)]
    for number, file in enumerate(files):
        pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file, compress_level=1)
    return files


def folder_of(files: Sequence[Path], root: Path, **changes: Any) -> ImageFolder:
    given: dict[str, Any] = {
        "stem": "pictures",
        "files": files,
        "size": (6, 8),
        "root": root,
        "owner": "some-set",
        "help": HELP,
    }
    return ImageFolder(**given | changes)


def split_of(mapped: Mapped, **more: Any) -> Split:
    """Return the split of all images of a map, with a label that is always 0."""
    count = len(mapped.images)
    return Split(
        inputs=mapped.images,
        targets=(torch.zeros(count, dtype=torch.long),),
        defined=torch.ones(count, 1, dtype=torch.bool),
        members=torch.arange(count)[:, None],
        release=mapped.release,
        **more,
    )
