"""The fingerprint of a dataset's data, cached until its files change.

Computing it imports the dataset's module, and torch with it, which takes longer than reading all records.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mtbench import registry
from mtbench.contract.data.links import LINKS
from mtbench.plan.spec import Choice
from mtbench.store.identity.fingerprint import code
from mtbench.store.memory import Memory

__all__ = ["data_fingerprint", "find_fingerprint"]


_FOUND: dict[tuple[str, Path], str] = {}


def data_fingerprint(dataset: Choice, root: Path, files: Mapping[str, str]) -> str:
    """Return the fingerprint of a dataset's data, computed once per process; empty if they are not on this machine.

    Args:
        dataset: the dataset with its options, of a spec.
        root: the folder of the data files.
        files: paths of the files that its options give by hash, by hash.

    Raises:
        UsageError, PluginError, DataError: the dataset is not installed, is broken, or cannot compute it.
    """
    key = (str(dataset), root)
    if key not in _FOUND:
        _FOUND[key] = find_fingerprint(dataset, root, files)
    return _FOUND[key]


def find_fingerprint(dataset: Choice, root: Path, files: Mapping[str, str]) -> str:
    """Return what `data_fingerprint` does, from the cache on this machine or from the data."""
    memory = Memory("fingerprints.json")
    entry = registry.find("dataset", dataset.name)
    key = f"{dataset} in {root}, code {code(entry).hash}"
    match memory.read().get(key):
        case {"files": dict() as states, "fingerprint": str() as known} if states == _states(states):
            return known
    from mtbench.plan.chosen import load_dataset

    opened = load_dataset(dataset, files).open(root)
    if (read := opened.fingerprint_files()) is None:
        return opened.fingerprint()
    before = _states([*map(str, read), str(root / LINKS)])
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
