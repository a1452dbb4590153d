"""A world of birds on disk, in the layout of CUB-200-2011."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..world import faults, write
from .recipe import BirdsRecipe

__all__ = ["find_faults", "write_world"]


def write_world(
    folder: Path,
    *,
    train: int,
    test: int,
    species: int,
    seed: int,
    size: tuple[int, int] = (120, 160),
    say: Callable[[str], None],
    jobs: int | None = None,
) -> None:
    """Write a world of drawn birds in the layout of CUB-200-2011; complete a part of the same world.

    ``images/{species}/``, the text files in `tables.TABLES` and, last, ``mtbench-world.json`` with the settings and a
    sum over all files. The same settings give the same bytes, whatever the number of jobs and however often it was
    interrupted.

    Args:
        folder: made if it is missing.
        train, test: numbers of images, spread evenly over the species.
        species: number of kinds of birds, at most `MOST`.
        seed: the seed of all draws.
        size: (height, width) in pixels; heights vary about it, and some images are upright.
        say: takes a line of text.
        jobs: processes that draw, each on one thread; by default one for each processor that this process may use.

    Raises:
        DataError: there is another world, or a file cannot be written.
    """
    recipe = BirdsRecipe(train=train, test=test, species=species, seed=seed, size=size)
    write(folder, recipe, "images/*/.*.jpg.*", say, jobs)


def find_faults(folder: Path) -> list[tuple[Path, str]]:
    """Return the faults of a world, as pairs of a file and a remark; an empty list if it is complete."""
    return faults(folder, _parse)


def _parse(settings: Mapping[str, Any]) -> BirdsRecipe:
    width, height = settings["size"]
    counts = settings["counts"]
    return BirdsRecipe(
        train=counts["train"],
        test=counts["test"],
        species=settings["species"],
        seed=settings["seed"],
        size=(height, width),
    )
