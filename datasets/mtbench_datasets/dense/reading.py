"""The folder of a dataset: its files are listed and compared, before any is read."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mtbench.errors import DataError, shortlist

from ..worlds import MANIFEST
from .arrays import Depths, Form, Images, Labels, Normals, read_row
from .layout import PARTS, Layout

__all__ = ["Folder"]

FEW = 3  # files that an error names


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder with a dataset in its layout, or with another world in it.

    Attributes:
        path: the folder.
        layout: the layout.
        help: a sentence on where to get the dataset.
    """

    path: Path
    layout: Layout
    help: str

    @property
    def is_world(self) -> bool:
        """True if the folder says that it is another world in this layout, which may have other numbers of images."""
        return os.path.isfile(self.path / MANIFEST)

    @property
    def is_there(self) -> bool:
        """True if there are training images to read."""
        return os.path.isdir(self.path / "train" / "image")

    @cached_property
    def label(self) -> str:
        """The folder of labels that is read: the first of the layout's that is there, else the first."""
        names = self.layout.labels
        return next((name for name in names if os.path.isdir(self.path / "train" / name)), names[0])

    def form(self, content: str) -> Form:
        """Return the form of the arrays of ``image``, ``label``, ``depth`` or ``normal``."""
        if content == "label":
            return Labels(self.layout.classes)
        return {"image": Images(), "depth": Depths(), "normal": Normals()}[content]

    def file(self, part: str, folder: str, index: int) -> Path:
        """Return the file of one image or map."""
        return self.path / part / folder / f"{index}.npy"

    def check(self) -> None:
        """Refuse a folder whose files differ from those of the dataset, or whose first ones cannot be read.

        Raises:
            DataError: the text names the file or folder, and what is expected.
        """
        self.counts()
        for part in PARTS:
            for content, folder in self.layout.folders(self.label).items():
                first = self.file(part, folder, 0)
                read_row(first, self.form(content), self.layout.size, self.layout.words, self.help)

    def counts(self) -> dict[str, int]:
        """Return the number of images of each of `PARTS`.

        Raises:
            DataError: a folder is missing, files are missing from a folder, or there are others than in the folder of
                images, or another number than the dataset has.
        """
        return {part: self._count(part) for part in PARTS}

    def _count(self, part: str) -> int:
        images, *others = self.layout.folders(self.label).values()
        found = self._indices(part, images)
        if lacking := set(range(len(found))) - found:
            raise self._fault(
                f"{self.path / part / images} has {len(found):,} files up to {max(found)}.npy, and lacks "
                f"{max(found) + 1 - len(found):,}, the first of them {min(lacking)}.npy."
            )
        for folder in others:
            here = self._indices(part, folder)
            if lacking := found - here:
                raise self._fault(
                    f"{self.path / part / folder} lacks {_named(lacking)}, which {part}/{images} has.",
                )
            if surplus := here - found:
                raise self._fault(f"{self.path / part / folder} has {_named(surplus)}, which {part}/{images} lacks.")
        expected = self.layout.counts[part]
        if len(found) != expected and not self.is_world:
            raise self._fault(
                f"{self.path / part / images} has {len(found):,} files, and {self.layout.title} has {expected:,}.",
                f"A world of other numbers in the same format has a file {MANIFEST} in its folder.",
            )
        if not found:
            raise self._fault(f"{self.path / part / images} has no files.")
        return len(found)

    def _indices(self, part: str, folder: str) -> set[int]:
        """Return the numbers of the files N.npy in a folder; other files are ignored."""
        path = self.path / part / folder
        try:
            stems = [name.removesuffix(".npy") for name in os.listdir(path) if name.endswith(".npy")]
        except (FileNotFoundError, NotADirectoryError):
            raise self._fault(f"{path} is missing.") from None
        except OSError as cause:
            raise self._fault(f"{path} cannot be read: {cause.strerror}.") from None
        return {int(stem) for stem in stems if stem.isdecimal() and str(int(stem)) == stem}

    def _fault(self, given: str, mend: str = "") -> DataError:
        return DataError(given, mend=mend, allowed=self.layout.words, where=self.help)


def _named(indices: set[int]) -> str:
    return shortlist([f"{index}.npy" for index in sorted(indices)], FEW)
