"""A world of shoes on disk, in the layout of UT-Zappos50K."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..world import faults, write
from .recipe import ShoesRecipe

__all__ = ["find_faults", "write_world"]


def write_world(
    folder: Path,
    *,
    images: int,
    seed: int,
    size: tuple[int, int] = (102, 136),
    say: Callable[[str], None],
    jobs: int | None = None,
) -> None:
    """Write a world of drawn shoes in the layout of UT-Zappos50K; complete a part of the same world.

    ``ut-zap50k-images/{category}/{subcategory}/{brand}/``, the files in `tables.TABLES` and, last,
    ``mtbench-world.json`` with the settings and a sum over all files. The same settings give the same bytes, whatever
    the number of jobs and however often it was interrupted.

    Args:
        folder: made if it is missing.
        images: number of pictures.
        seed: the seed of all draws.
        size: (height, width) in pixels.
        say: takes a line of text.
        jobs: processes that draw, each on one thread; by default one for each processor that this process may use.

    Raises:
        DataError: there is another world, or a file cannot be written.
    """
    write(folder, ShoesRecipe(images=images, seed=seed, size=size), "ut-zap50k-images/*/*/*/.*.jpg.*", say, jobs)


def find_faults(folder: Path) -> list[tuple[Path, str]]:
    """Return the faults of a world, as pairs of a file and a remark; an empty list if it is complete."""
    return faults(folder, _parse)


def _parse(settings: Mapping[str, Any]) -> ShoesRecipe:
    width, height = settings["size"]
    return ShoesRecipe(images=settings["images"], seed=settings["seed"], size=(height, width))
