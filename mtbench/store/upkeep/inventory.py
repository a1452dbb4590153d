"""The files of a results folder or a pack, by what they belong to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.store.files.reading import files_below
from mtbench.store.results import MARKER, SUPERSEDED
from mtbench.store.study import SEARCHES
from mtbench.store.suites.files import FOLDERS
from mtbench.store.trust import VERIFIED

__all__ = ["Inventory", "take_inventory"]

OF_A_RUN = {
    *("spec.json", "record.json", "curve.jsonl", "predictions.npz", "model.safetensors", "failure.json", "files.json"),
    *("checkpoint.pt", "checkpoint-damaged-1.pt", "checkpoint-damaged-2.pt", "attempts.jsonl", "log.txt"),
}
"""The files in the folder of a run, without leases and temporary files."""
OF_A_SEARCH = {"search.json", "journal.log"}
"""The files in the folder of a search: the study, and the journal of Optuna."""
_PASSING = re.compile(r"claim\.\d+|\.probe-[0-9a-f]+|\..+\.tmp")


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The files of a results folder or a pack; all paths are relative to it, with slashes, and sorted.

    Attributes:
        runs: the names of the files of each run, by its folder, without those of superseded results.
        superseded: the same of earlier results of runs, by their folder ``superseded-N`` in that of the run.
        searches: the same of searches.
        shared: the mark of the folder, and the sealed files on suites: declarations, plans of looks and resolutions.
        passing: leases and temporary files, which belong to processes, and the hidden folders of engines.
        foreign: files that belong to nothing of these.
    """

    runs: Mapping[str, Sequence[str]]
    superseded: Mapping[str, Sequence[str]]
    searches: Mapping[str, Sequence[str]]
    shared: Sequence[str]
    passing: Sequence[str]
    foreign: Sequence[str]


def take_inventory(results: Path) -> Inventory:
    """Return the files of a results folder or a pack.

    Raises:
        StoreError, NewerResults: see `mtbench.store.files.reading.inside`.
    """
    folders: dict[str, list[str]] = {}
    for path in files_below(results):
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, []).append(name)
    runs: dict[str, list[str]] = {}
    superseded: dict[str, list[str]] = {}
    searches: dict[str, list[str]] = {}
    shared: list[str] = []
    passing: list[str] = []
    foreign: list[str] = []
    for folder, names in sorted(folders.items()):
        above, _, last = folder.rpartition("/")
        begun = [name for name in names if _PASSING.fullmatch(name)]
        passing += [_joined(folder, name) for name in begun]
        names = [name for name in names if name not in begun]
        if folder.startswith("."):  # of an engine, such as submissions to a scheduler
            passing += [_joined(folder, name) for name in names]
            continue
        if folder == "":
            known = {MARKER, VERIFIED}  # levels of trust are this machine's, and belong to no pack
            shared += [name for name in names if name == MARKER]
        elif folder in FOLDERS:
            known = {name for name in names if name.endswith(".json")}
            shared += [_joined(folder, name) for name in names if name in known]
        elif folder.startswith(f"{SEARCHES}/") and folder.count("/") == 2:
            known = OF_A_SEARCH
            searches[folder] = [name for name in names if name in known]
        elif SUPERSEDED.fullmatch(last) and _is_run(folders.get(above, ())):
            known = OF_A_RUN
            superseded[folder] = [name for name in names if name in known]
        elif _is_run(names):
            known = OF_A_RUN
            runs[folder] = [name for name in names if name in known]
        else:
            known = set()
        foreign += [_joined(folder, name) for name in names if name not in known]
    return Inventory(
        runs=runs, superseded=superseded, searches=searches, shared=shared, passing=passing, foreign=foreign
    )


def _is_run(names: Sequence[str]) -> bool:
    return "spec.json" in names or "record.json" in names


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
