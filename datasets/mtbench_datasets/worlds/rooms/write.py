"""A world of rooms on disk, in NYUv2's preprocessed format."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..world import faults, write
from .recipe import RoomsRecipe

__all__ = ["find_faults", "write_world"]


def write_world(
    folder: Path,
    *,
    train: int,
    val: int,
    seed: int,
    size: tuple[int, int] = (96, 128),
    say: Callable[[str], None],
    jobs: int | None = None,
) -> None:
    """Write a world of rooms in the layout of the preprocessed NYUv2; complete a part of the same world.

    In ``train/`` and ``val/``, for each picture N from 0 on, arrays of little-endian float32 in C order:

    - ``image/N.npy`` (H, W, 3): from 0 to 1, multiples of 1/255;
    - ``label/N.npy`` (H, W): whole numbers, the classes in the order of `CLASSES`; -1 where undefined;
    - ``depth/N.npy`` (H, W, 1): meters along the optical axis; 0 where undefined;
    - ``normal/N.npy`` (H, W, 3): unit normals toward the camera, x to the right along the rows of pixels, y up, and z
      backwards, out of the picture; (0, 0, 0) where undefined, at the same pixels as depth.

    Beside them ``notes/N.json`` with the sums of the arrays, ``classes.json`` with the names of the classes and their
    numbers of pixels, and, last, ``mtbench-world.json`` with the settings and a sum over all files. The same settings
    give the same bytes, whatever the number of jobs and however often it was interrupted.

    Args:
        folder: made if it is missing.
        train, val: numbers of images.
        seed: the seed of all draws.
        size: (height, width) in pixels.
        say: takes a line of text.
        jobs: processes that draw, each on one thread; by default one for each processor that this process may use.

    Raises:
        DataError: there is another world, or a file cannot be written.
    """
    write(folder, RoomsRecipe(train=train, val=val, seed=seed, size=size), "*/*/.*.*", say, jobs)


def find_faults(folder: Path) -> list[tuple[Path, str]]:
    """Return the faults of a world, as pairs of a file and a remark; an empty list if it is complete."""
    return faults(folder, _parse)


def _parse(settings: Mapping[str, Any]) -> RoomsRecipe:
    (width, height), counts = settings["size"], settings["counts"]
    return RoomsRecipe(train=counts["train"], val=counts["val"], seed=settings["seed"], size=(height, width))
