"""A world on disk, in the layout of CLEVR v1.0."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mtbench.errors import DataError

from ...files import write_atomically
from .crew import make_pictures
from .recipe import Recipe
from .scenes import scene_file

__all__ = ["MANIFEST", "verify_world", "write_world"]

MANIFEST = "mtbench-world.json"
SPEAK = 10.0  # seconds between lines where no bar can be drawn


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
        jobs: processes that render; by default one for each processor that this process may use.

    Raises:
        DataError: another world lies there, or a file cannot be written.
    """
    recipe = Recipe(train=train, val=val, seed=seed, size=size, maps=maps)
    manifest = folder / MANIFEST
    found = _read(manifest)
    if found is not None:
        if {key: found.get(key) for key in recipe.settings()} != recipe.settings():
            raise DataError(
                f"{folder} holds another world, {_brief(found)}, not {_brief(recipe.settings())}.",
                mend=f"Remove {folder}, or write to another folder.",
            )
        if not verify_world(folder):
            say(f"the world in {folder} is whole")
            return
        say(f"files of the world in {folder} are missing or altered and are written again")
        manifest.unlink()
    total = sum(recipe.counts.values())
    scenes: dict[str, dict[int, Any]] = {split: {} for split in recipe.counts}
    rendered = 0
    say(f"rendering {total:,} pictures of {size[1]} x {size[0]} into {folder}")
    begin = time.monotonic()
    with _progress(total, say) as advance:
        for pictures in make_pictures(recipe, folder, jobs or len(os.sched_getaffinity(0))):
            for split, index, scene, new in pictures:
                scenes[split][index] = scene
                rendered += new
            advance(len(pictures))
    for split, described in scenes.items():
        content = scene_file(split, [described[index] for index in sorted(described)])
        write_atomically(folder / _scenes_path(split), content)
    entry = recipe.settings() | {"sha256": _sum(folder, recipe)}
    write_atomically(manifest, (json.dumps(entry, indent=2) + "\n").encode())
    say(f"{rendered:,} of {total:,} pictures rendered in {time.monotonic() - begin:.0f} s")


def verify_world(folder: Path) -> list[tuple[Path, str]]:
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
    if _sum(folder, recipe) != found.get("sha256"):
        return [(folder, "has a file that is altered")]
    return []


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
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _brief(settings: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items() if key != "sha256") or "an unreadable one"


@contextmanager
def _progress(total: int, say: Callable[[str], None]) -> Iterator[Callable[[int], None]]:
    """Within the block, show how much is done and how long the rest takes: a bar on a terminal, elsewhere lines."""
    if sys.stderr.isatty():
        columns = (TextColumn("pictures"), BarColumn(None), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("", total=total)
            yield lambda count: progress.advance(task, count)
        return
    begin = spoken = time.monotonic()
    done = 0

    def advance(count: int) -> None:
        nonlocal done, spoken
        done += count
        now = time.monotonic()
        if now - spoken >= SPEAK and done < total:
            spoken = now
            say(f"{done:,} of {total:,} pictures, {(now - begin) / done * (total - done):.0f} s left")

    yield advance
