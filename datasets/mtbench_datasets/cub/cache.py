"""Annotations in the data root, read once from 90 megabytes of text and in a moment ever after."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mtbench.errors import DataError

from ..facts import State, expect_unchanged, file_states, read_facts, read_tensors, write_tensors
from .annotations import TENSORS, Annotations
from .reading import Folder

__all__ = ["AnnotationsCache", "Facts"]

RECIPE = 1  # part of the file's name; raised when what is read changes


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The head of a file of annotations.

    Attributes:
        names: see `Annotations`.
        remarks: see `Annotations`.
        digest: see `Annotations`.
        states: see `State`, of each file that was read, by its key in `Folder.files`.
    """

    names: list[str]
    remarks: list[str]
    digest: str
    states: Mapping[str, State]


@dataclass(frozen=True, kw_only=True)
class AnnotationsCache:
    """The annotations of the images in a folder.

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
        return self.root / "birds" / f"{self.stem}-v{RECIPE}.safetensors"

    def prepare(self) -> Annotations:
        """Return the annotations, read from the text files unless they are cached; errors as `Folder.read`."""
        try:
            return self.read()
        except DataError:
            return self._fill()

    def read(self) -> Annotations:
        """Return the annotations that were prepared.

        Text files that are not there any more are not missed.

        Raises:
            DataError: they are missing, truncated or altered, or a text file is another one by now.
        """
        tensors, facts = read_tensors(self.path, self.owner, Facts)
        expect_unchanged(self.folder.files, facts.states, self.path, self.owner)
        return Annotations(**tensors, names=tuple(facts.names), remarks=tuple(facts.remarks))

    def facts(self) -> Facts | None:
        """Return the head of the file; None where it was not prepared."""
        return read_facts(self.path, Facts)

    def _fill(self) -> Annotations:
        """Read the annotations from the text files, and keep them; errors as `Folder.read`."""
        states = file_states(self.folder.files)
        found = self.folder.read()
        facts = Facts(names=list(found.names), remarks=list(found.remarks), digest=found.digest(), states=states)
        write_tensors(self.path, {name: getattr(found, name) for name in TENSORS}, asdict(facts))
        return found
