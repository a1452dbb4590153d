"""Arguments as Python programs give them, in the form in which plans and stores take them."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import platformdirs

from mtbench.errors import UsageError

__all__ = ["DEFAULT_RESULTS", "Folder", "Folders", "data_root", "folders", "names", "seed_list", "settings"]

DEFAULT_RESULTS = Path("results/local")
Folder: TypeAlias = str | os.PathLike[str]
Folders: TypeAlias = Folder | Iterable[Folder]


def data_root(given: Folder | None = None) -> Path:
    """Return the folder of the data files, absolute.

    Args:
        given: the folder; by default that of the environment variable MTBENCH_DATA, or the platform's folder for user
            data.
    """
    chosen = given or os.environ.get("MTBENCH_DATA") or platformdirs.user_data_path("mtbench")
    return Path(chosen).expanduser().absolute()


def folders(given: Folders) -> list[Path]:
    """Return one or several folders as a list, each once.

    Raises:
        UsageError: there are none, or one is an empty text.
    """
    several = [given] if isinstance(given, str | os.PathLike) else list(given)
    if not several:
        raise UsageError("no results folder was given.", mend=f"Give one or several, such as '{DEFAULT_RESULTS}'.")
    if not all(map(os.fspath, several)):
        raise UsageError("a folder is given as an empty text.", mend="Name one, or leave it out.")
    return list(dict.fromkeys(Path(each).expanduser() for each in several))


def names(given: str | Iterable[str]) -> list[str]:
    """Return names that are given as a list, or as one text with commas."""
    texts = given.split(",") if isinstance(given, str) else given
    return [text.strip() for text in texts if text.strip()]


def seed_list(given: int | Iterable[int] | None) -> list[int] | None:
    """Return seeds that are given as a count from 0 or as a list, ascending and each once; None of None.

    Raises:
        UsageError: there are none or too many, or one is negative or too large.
    """
    from mtbench.contract.options.limits import LIMITS, shown

    if given is None:
        return None
    most, largest = LIMITS["seeds"], LIMITS["seed"]
    seeds = list(range(min(given, most + 1))) if isinstance(given, int) else sorted(set(given))
    if not 0 < len(seeds) <= most or seeds[0] < 0 or seeds[-1] > largest:
        raise UsageError(
            f"seeds are {shown(repr(given))}.",
            allowed=f"Allowed: a count such as 10, or a list such as [0, 3, 7]; at most {most:,} seeds, none below "
            f"0 or above {largest}.",
        )
    return seeds


def settings(given: Mapping[str, object]) -> dict[str, str]:
    """Return settings of the training protocol as the texts that the command line takes, None left out."""
    from mtbench.contract.options import render_value

    return {
        name: value if isinstance(value, str) else render_value(tuple(value) if isinstance(value, list) else value)  # type: ignore[arg-type]
        for name, value in given.items()
        if value is not None
    }
