"""A world on disk, in the layout of CLEVR v1.0."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..world import faults, write
from .recipe import Recipe

__all__ = ["find_faults", "write_world"]


def write_world(
    folder: Path,
    *,
    train: int,
    val: int,
    seed: int,
    size: tuple[int, int] = (120, 160),
    maps: bool = False,
    say: Callable[[str], None],
    jobs: int | None = None,
) -> None:
    """Write a rendered world in the layout of CLEVR v1.0; complete a part of the same world.

    ``images/{split}/CLEVR_{split}_{index:06d}.png``, ``scenes/CLEVR_{split}_scenes.json`` and, last,
    ``mtbench-world.json`` with the settings and a sum over all files. With `maps` also, under each image's name,

    - ``depth/{split}/``: 16-bit gray PNG, thousandths of a unit along the optical axis;
    - ``normals/{split}/``: RGB PNG, 127.5 (n + 1) in the camera's axes (right, up, toward the camera);
    - ``masks/{split}/``: 8-bit gray PNG, 0 the ground, 1 + i object i of the scene.

    The same settings give the same bytes, whatever the number of jobs and however often it was interrupted.

    Args:
        folder: made if it is missing.
        train, val: numbers of images.
        seed: the seed of all draws.
        size: (height, width) of the images in pixels.
        maps: write depth, normals and masks too.
        say: takes a line of text.
        jobs: processes that render, each on one thread; by default one for each processor that this process may use.

    Raises:
        DataError: there is another world, or a file cannot be written.
    """
    recipe = Recipe(train=train, val=val, seed=seed, size=size, maps=maps)
    write(folder, recipe, "*/*/.CLEVR_*", say, jobs)


def find_faults(folder: Path) -> list[tuple[Path, str]]:
    """Return the faults of a world, as pairs of a file and a remark; an empty list if it is complete."""
    return faults(folder, _parse)


def _parse(settings: Mapping[str, Any]) -> Recipe:
    width, height = settings["size"]
    counts, seed, maps = settings["counts"], settings["seed"], settings["maps"]
    return Recipe(train=counts["train"], val=counts["val"], seed=seed, size=(height, width), maps=maps)
