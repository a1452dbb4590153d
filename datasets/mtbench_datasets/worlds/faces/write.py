"""A world of faces on disk, in the layout of CelebA."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..world import faults, write
from .recipe import PICTURES, FacesRecipe

__all__ = ["find_faults", "write_world"]


def write_world(
    folder: Path,
    *,
    train: int,
    val: int,
    test: int,
    seed: int,
    size: tuple[int, int] = (218, 178),
    say: Callable[[str], None],
    jobs: int | None = None,
) -> None:
    """Write a world of drawn faces in the layout of CelebA; complete a part of the same world.

    ``img_align_celeba/``, the text files in `tables.TABLES` and, last, ``mtbench-world.json`` with the settings and a
    sum over all files. The same settings give the same bytes, whatever the number of jobs and however often it was
    interrupted.

    Args:
        folder: made if it is missing.
        train, val, test: numbers of images.
        seed: the seed of all draws.
        size: (height, width) in pixels.
        say: takes a line of text.
        jobs: processes that draw, each on one thread; by default one for each processor that this process may use.

    Raises:
        DataError: there is another world, or a file cannot be written.
    """
    recipe = FacesRecipe(train=train, val=val, test=test, seed=seed, size=size)
    write(folder, recipe, f"{PICTURES}/.*.jpg.*", say, jobs)


def find_faults(folder: Path) -> list[tuple[Path, str]]:
    """Return the faults of a world, as pairs of a file and a remark; an empty list if it is complete."""
    return faults(folder, _parse)


def _parse(settings: Mapping[str, Any]) -> FacesRecipe:
    width, height = settings["size"]
    counts = settings["counts"]
    return FacesRecipe(
        train=counts["train"],
        val=counts["val"],
        test=counts["test"],
        seed=settings["seed"],
        size=(height, width),
    )
