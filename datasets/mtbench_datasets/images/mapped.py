"""Decoded images, or maps, as a tensor over a file."""

import mmap
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

__all__ = ["Mapped", "map_images"]


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """Images or maps in a memory map: each is read from the file when it is used.

    Attributes:
        images: (N, ...), images uint8 (N, 3, H, W); read-only.
        release: gives back the memory of the images that were used; they can be used again.
    """

    images: Tensor
    release: Callable[[], None]


def map_images(path: Path, shape: tuple[int, ...], dtype: torch.dtype = torch.uint8) -> Mapped:
    """Map a file of numbers of that shape (N, ...)."""
    with path.open("rb") as file:
        # Read-only: a private map that may be written to counts as memory in use on systems that do not overcommit.
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given buffer is not writable", category=UserWarning)
        images = torch.frombuffer(pages, dtype=dtype).view(shape)
    return Mapped(images=images, release=lambda: pages.madvise(mmap.MADV_DONTNEED))
