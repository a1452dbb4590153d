"""A world on disk, in the layout of CLEVR v1.0."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from mtbench.errors import DataError

from ...files import write_atomically
from ...images.progress import shown
from ...images.room import check_space, locked
from .crew import make_pictures
from .images import is_whole
from .recipe import Recipe
from .scenes import scene_file

__all__ = ["MANIFEST", "find_faults", "write_world"]

MANIFEST = "mtbench-world.json"
LOCK = ".mtbench-world.lock"
BYTES, BYTES_WITH_MAPS = 0.75, 1.5
"""About what a picture takes on a disk of blocks of 4 KiB, in bytes per pixel; without maps and with them."""


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
    """Write a rendered world as CLEVR v1.0 lies on disk; go on if a part of the same world lies there.

    ``images/{split}/CLEVR_{split}_{index:06d}.png``, ``scenes/CLEVR_{split}_scenes.json`` and, last,
    ``mtbench-world.json`` with the settings and a sum over all files. With `maps` also, under each image's name,

    - ``depth/{split}/``: 16-bit gray PNG, thousandths of a unit along the optical axis;
    - ``normals/{split}/``: RGB PNG, 127.5 (n + 1) in the camera's axes (right, up, towards the camera);
    - ``masks/{split}/``: 8-bit gray PNG, 0 the ground, 1 + i object i of the scene.

    The same settings give the same bytes, whatever the number of jobs and however often it was interrupted.

    Args:
        folder: made if it is missing.
        train, val: numbers of images.
        seed: of all draws.
        size: (height, width) of the images in pixels.
        maps: write depth, normals and masks too.
        say: takes a line of text.
        jobs: processes that render, each on one thread; by default one for each processor that this process may use.

    Raises:
        DataError: another world lies there, or a file cannot be written.
    """
    recipe = Recipe(train=train, val=val, seed=seed, size=size, maps=maps)
    if _is_whole(folder, recipe):
        say(f"the world in {folder} is whole")
        return
    with locked(folder / LOCK, f"the world in {folder}", say):
        if not _is_whole(folder, recipe):  # another process may have written it meanwhile
            _write(folder, recipe, say, jobs or _cores())


def _is_whole(folder: Path, recipe: Recipe) -> bool:
    """Return True if this world lies there and no file is missing or altered.

    Raises:
        DataError: another world lies there.
    """
    found = _read(folder / MANIFEST)
    if found is None:
        return False
    if {key: found.get(key) for key in recipe.settings()} != recipe.settings():
        raise DataError(
            f"{folder} holds another world, {_brief(found)}, not {_brief(recipe.settings())}.",
            mend=f"Remove {folder}, or write to another folder.",
        )
    return not find_faults(folder)


def _write(folder: Path, recipe: Recipe, say: Callable[[str], None], jobs: int) -> None:
    """Write those files of a world that are missing or not whole, and the scenes and the manifest."""
    total = sum(recipe.counts.values())
    scenes: dict[str, dict[int, Any]] = {split: {} for split in recipe.counts}
    rendered = 0
    (folder / MANIFEST).unlink(missing_ok=True)
    height, width = recipe.size
    missing = sum(not (folder / recipe.files(split, index)[-1]).is_file() for split, index in recipe.pictures())
    need = round(missing * height * width * (BYTES_WITH_MAPS if recipe.maps else BYTES))
    check_space(folder / MANIFEST, need, f"{missing:,} pictures", say)
    say(f"rendering {total:,} pictures of {width} x {height} into {folder}, as far as they are not there")
    begin = time.monotonic()
    with shown("rendering", total, say) as advance:
        for pictures in make_pictures(recipe, folder, jobs):
            for split, index, scene, new in pictures:
                scenes[split][index] = scene
                rendered += new
                advance()
    for split, described in scenes.items():
        content = scene_file(split, [described[index] for index in sorted(described)])
        write_atomically(folder / _scenes_path(split), content)
    for leftover in folder.glob("*/*/.CLEVR_*"):  # of writers that were killed
        leftover.unlink(missing_ok=True)
    entry = recipe.settings() | {"sha256": _sum(folder, recipe)}
    write_atomically(folder / MANIFEST, (json.dumps(entry, indent=2) + "\n").encode())
    say(f"{rendered:,} of {total:,} pictures rendered in {time.monotonic() - begin:.0f} s")


def find_faults(folder: Path) -> list[tuple[Path, str]]:
    """Return what is wrong with a world, as pairs of a file and a remark; an empty list if it is whole."""
    found = _read(folder / MANIFEST)
    if found is None:
        return [(folder / MANIFEST, "is missing")]
    try:
        width, height = found["size"]
        counts, seed, maps = found["counts"], found["seed"], found["maps"]
        recipe = Recipe(train=counts["train"], val=counts["val"], seed=seed, size=(height, width), maps=maps)
    except (KeyError, TypeError, ValueError):
        return [(folder / MANIFEST, "is altered")]
    missing = [folder / path for path in _paths(recipe) if not (folder / path).is_file()]
    if missing:
        return [(path, "is missing") for path in missing]
    if _sum(folder, recipe) == found.get("sha256"):
        return []
    damaged = [
        (folder / path, "is truncated or altered")
        for split, index in recipe.pictures()
        for path in recipe.files(split, index)
        if not is_whole(folder / path, recipe.source(split, index))
    ]
    return damaged or [(folder / _scenes_path("train"), "is altered, or another file of the world is")]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _paths(recipe: Recipe) -> Iterator[str]:
    """Yield the files of a world but for the manifest, relative to its folder."""
    for split, index in recipe.pictures():
        yield from recipe.files(split, index)
    yield from map(_scenes_path, recipe.counts)


def _scenes_path(split: str) -> str:
    return f"scenes/CLEVR_{split}_scenes.json"


def _sum(folder: Path, recipe: Recipe) -> str:
    """Return the sha256 of the lines that ``sha256sum`` prints of all files, in the order of their names."""
    return _digest(f"{_digest((folder / path).read_bytes())}  {path}\n" for path in sorted(_paths(recipe)))


def _digest(content: bytes | Iterable[str]) -> str:
    return hashlib.sha256(content if isinstance(content, bytes) else "".join(content).encode()).hexdigest()


def _read(manifest: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _brief(settings: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items() if key != "sha256") or "an unreadable one"
