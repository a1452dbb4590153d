"""The catalog in the data root, read once from text and MATLAB files and in a moment ever after."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mtbench.errors import DataError

from ..facts import State, expect_unchanged, file_states, read_facts, read_tensors, write_tensors
from .catalog import Catalog
from .reading import Folder

__all__ = ["CatalogCache"]

RECIPE = 1  # part of the file's name; raised when what is read changes
CLASSES = "classes"


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """The head of the file: see `Catalog`; `states` has the state of each file read."""

    names: list[str]
    files: list[str]
    values: list[list[str]]
    remarks: list[str]
    states: Mapping[str, State]


@dataclass(frozen=True, kw_only=True)
class CatalogCache:
    """The catalog of the pictures in a folder.

    Attributes:
        folder: the dataset's folder.
        stem: the beginning of the file's name.
        root: the data root.
        owner: the dataset as the person wrote it, for errors.
    """

    folder: Folder
    stem: str
    root: Path
    owner: str

    @property
    def path(self) -> Path:
        """The file below the data root."""
        return self.root / "shoes" / f"{self.stem}-v{RECIPE}.safetensors"

    def prepare(self) -> Catalog:
        """Return the catalog, read again if a file changed or was added or removed; errors as `Folder.read`."""
        try:
            found, facts = self._read()
            if facts.states == self._states():
                return found
        except DataError:
            pass
        states = self._states()
        found = self.folder.read()
        facts = _Facts(
            names=list(found.names),
            files=list(found.files),
            values=[list(values) for values in found.values],
            remarks=list(found.remarks),
            states=states,
        )
        write_tensors(self.path, {CLASSES: found.classes, **found.lists}, asdict(facts))
        return found

    def read(self) -> Catalog:
        """Return the catalog that was prepared. Files that are not there any more are not missed.

        Raises:
            DataError: it is missing, truncated or altered, or a file is another one by now.
        """
        found, facts = self._read()
        expect_unchanged(self.folder.files, facts.states, self.path, self.owner, below=self.folder.path)
        return found

    def values(self) -> tuple[tuple[str, ...], ...]:
        """Return the values of each task; none where nothing was prepared."""
        facts = read_facts(self.path, _Facts)
        return () if facts is None else tuple(map(tuple, facts.values))

    def _read(self) -> tuple[Catalog, _Facts]:
        tensors, facts = read_tensors(self.path, self.owner, _Facts)
        catalog = Catalog(
            names=tuple(facts.names),
            files=tuple(facts.files),
            classes=tensors.pop(CLASSES),
            values=tuple(map(tuple, facts.values)),
            lists=tensors,
            remarks=tuple(facts.remarks),
        )
        return catalog, facts

    def _states(self) -> dict[str, State]:
        """Return the states of the files that are there, whose names are paths below the folder."""
        return file_states(self.folder.files, self.folder.path)
