"""Data files: original ones, those that are made of them, and the sums beside them."""

import hashlib
import random
from pathlib import Path

from mtbench.errors import DataError
from tests.fuzz.campaign import ACCEPTED, REFUSED, SAME, Kind, Silent
from tests.fuzz.datasets import COMPOSED, DataRoot
from tests.fuzz.kinds.alter import any_bytes, claims, json_lines, json_text
from tests.fuzz.place import called

__all__ = ["DATA"]

FOUND, UNNOTICED = "found by data verify", "not noticed"
STALE, UNREADABLE = "another fingerprint", "an exception of the dataset"
"""Outcomes: training does not read the sums of images, and `data verify` does; all runs of the data are stale. And of a
file whose sum beside it is right: the code of datasets, which is part of all fingerprints, believes its layout."""


def _altered(world: DataRoot, file: Path, draw: random.Random) -> tuple[str, bytes]:
    """Alter a file by its format, or now and then its bytes."""
    match file.suffix:
        case ".json":
            return json_text(world, file, draw)
        case ".rows":
            return json_lines(world, file, draw)
        case ".safetensors" if draw.random() < 0.5:
            return claims(file.read_bytes(), draw)
    return any_bytes(world, file, draw)


def _summed(world: DataRoot, file: Path, draw: random.Random) -> tuple[str, bytes]:
    """Alter a file, and write its new sum beside it."""
    how, data = _altered(world, file, draw)
    file.with_suffix(".sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  {file.name}\n")
    return how, data


def _data(world: DataRoot, file: Path, draw: random.Random) -> str:
    """Load, show, verify and prepare a dataset of which a file is altered.

    It is refused by its name, or the numbers are the same; an image that differs is found by ``data verify``.

    Raises:
        Silent: a number is another, and ``data verify`` says that every file is as it should be.
    """
    with world.patched():
        name = world.owners[file]
        loaded, refused = _loaded(world, name)
        verified = called("data", "verify", name, "--data-root", str(world.place))
        _show(world, name, draw)  # after it: `--labels` makes tables again
        for said in (refused, verified):
            assert not said or file.name.partition(".")[0] in said or "another file of the world is" in said, said
        if not verified and (refused or loaded != world.loaded[name]):
            raise Silent(f"data verify finds nothing, and loading: {refused or 'other numbers'}")
        if draw.random() < 0.5:
            _prepare(world, name)
    return REFUSED if refused else SAME if loaded == world.loaded[name] else FOUND


def _prepare(world: DataRoot, name: str) -> None:
    """Prepare a dataset again: where that is not refused, its numbers are the first ones."""
    if not called("data", "prepare", name, "--data-root", str(world.place)):
        loaded, refused = _loaded(world, name)
        if loaded != world.loaded[name]:
            raise Silent(f"it is prepared, and loading: {refused or 'other numbers'}")


def _of_strangers(world: DataRoot, file: Path, draw: random.Random) -> str:
    """Read a file whose sum beside it is right: if numbers are others, all runs are stale.

    Raises:
        Silent: numbers are others and the fingerprint is the same, or ``data verify`` knows the sum and says nothing.
    """
    with world.patched():
        name = world.owners[file]
        try:
            loaded, refused = _loaded(world, name)
        except Exception:
            return UNREADABLE
        fingerprint = world.fingerprint(name)
        verified = called("data", "verify", name, "--data-root", str(world.place))
        is_other = hashlib.sha256(file.read_bytes()).hexdigest() != world.known.get(
            file.relative_to(world.place).as_posix()
        )
        if name == COMPOSED and is_other and not verified:
            raise Silent("data verify knows its sum, and finds nothing")
        _show(world, name, draw)
    if refused:
        return REFUSED
    if loaded != world.loaded[name] and fingerprint == world.fingerprints[name]:
        if file.parent.name == "scenes":  # its fingerprint is of the digest that the head of the file tells
            return UNNOTICED
        raise Silent("the numbers are others, and the fingerprint is the same")
    return ACCEPTED if fingerprint == world.fingerprints[name] else STALE


def _loaded(world: DataRoot, name: str) -> tuple[str, str]:
    """Return the sum of what is loaded, and the error; one of them is empty."""
    try:
        return world.load(name), ""
    except DataError as cause:
        return "", str(cause)


def _show(world: DataRoot, name: str, draw: random.Random) -> None:
    """Give a command that shows a dataset; a page, which takes a second, only now and then."""
    root = ("--data-root", str(world.place))
    if draw.random() < 0.1:
        called("data", "show", name, "--count", "2", "--out", str(world.place / "page.png"), *root)
    else:
        called("data", "show", name, "--labels", *root)
        called("data", "where", name, *root)


def _links(world: DataRoot, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Read the file of links, which is no file of a dataset."""
    root = ("--data-root", str(world.place))
    refused = called("data", "link", "clevr", *root)
    assert not refused or file.name in refused, refused
    called("data", "where", "clevr4", *root)
    return REFUSED if refused else ACCEPTED


DATA: dict[str, Kind[DataRoot]] = {
    "digits": Kind(files="mnist/*ubyte", mutate=any_bytes, read=_data),
    "composites": Kind(files="mnist/*.s*", mutate=_altered, read=_data),
    "composites, summed": Kind(files="mnist/*.safetensors", mutate=_summed, read=_of_strangers),
    "tables": Kind(files="[bcdfs]*/*-v1.*", mutate=_altered, read=_data),
    "tables, summed": Kind(files="[bcdfs]*/*-v1.safetensors", mutate=_summed, read=_of_strangers),
    "decoded images": Kind(files="images/*.[!l]*", mutate=_altered, read=_data),
    "drawn worlds": Kind(files="*-mini*/**/*.*", mutate=_altered, read=_data, part=2),
    "links": Kind(files="links.json", mutate=json_text, read=_links, part=0.3),
}
