"""The fingerprint of a dataset's data, cached until its files change.

Computing it imports the dataset's module, and torch with it, which takes longer than reading all records.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mtbench import registry
from mtbench.contract.data.links import LINKS
from mtbench.store.fingerprint import code
from mtbench.store.memory import Memory

__all__ = ["data_fingerprint"]


@cache
def data_fingerprint(dataset: str, root: Path) -> str:
    """Return the fingerprint of a dataset's data, computed once per process; empty if they are not on this machine.

    Args:
        dataset: the dataset with its options, as in a spec.
        root: the folder of the data files.

    Raises:
        UsageError, PluginError, DataError: the dataset is not installed, is broken, or cannot compute it.
    """
    memory = Memory("fingerprints.json")
    entry = registry.find("dataset", dataset.partition(":")[0])
    key = f"{dataset} in {root}, code {code(entry).hash}"
    match memory.read().get(key):
        case {"files": dict() as states, "fingerprint": str() as known} if states == _states(states):
            return known
    from mtbench.plan.parse import parse_dataset

    opened = parse_dataset(dataset).open(root)
    if (files := opened.fingerprint_files()) is None:
        return opened.fingerprint()
    before = _states([*map(str, files), str(root / LINKS)])
    found = opened.fingerprint()
    if _states(before) == before:
        memory.add({key: {"files": before, "fingerprint": found}})
    return found


def _states(files: Iterable[str]) -> dict[str, list[int] | None]:
    """Return for each file the numbers that distinguish two states of it; None for a missing file."""
    return {file: _state(Path(file)) for file in files}


def _state(path: Path) -> list[int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns]
