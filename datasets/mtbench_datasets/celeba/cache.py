"""Annotations and triplets in the data root, so that text is read once and lists are drawn once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtbench.contract import stream
from mtbench.errors import DataError

from ..facts import State, expect_unchanged, file_states, read_facts, read_tensors, write_tensors
from ..triplets import draw_triplets, lists_sum
from .annotations import TENSORS, Annotations
from .reading import Folder
from .vocabulary import task_name

__all__ = ["AnnotationsCache", "TripletsCache"]

RECIPE = 1  # part of the files' names; raised when what is read or drawn changes


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The head of a file of annotations.

    Attributes:
        remarks: see `Annotations`.
        digest: see `Annotations`.
        states: see `State`, of each list that was read, by its key in `Folder.files`.
    """

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
        return self.root / "faces" / f"{self.stem}-v{RECIPE}.safetensors"

    def prepare(self) -> Annotations:
        """Return the annotations, read from the lists unless they are cached; errors as `Folder.read`."""
        try:
            return self.read()
        except DataError:
            return self._fill()

    def read(self) -> Annotations:
        """Return the annotations that were prepared; lists that are not there any more are not missed.

        Raises:
            DataError: they are missing, truncated or altered, or a list is another one by now.
        """
        tensors, facts = read_tensors(self.path, self.owner, Facts)
        expect_unchanged(self.folder.files, facts.states, self.path, self.owner)
        return Annotations(**tensors, remarks=tuple(facts.remarks))

    def digest(self) -> str:
        """Return the sum of the annotations; empty where they are not prepared."""
        facts = read_facts(self.path, Facts)
        return "" if facts is None else facts.digest

    def _fill(self) -> Annotations:
        states = file_states(self.folder.files)
        found = self.folder.read()
        facts = Facts(remarks=list(found.remarks), digest=found.digest(), states=states)
        write_tensors(self.path, {name: getattr(found, name) for name in TENSORS}, asdict(facts))
        return found


@dataclass(frozen=True, kw_only=True)
class ListFacts:
    """The head of a file of triplets.

    Attributes:
        digest: the sum of the annotations that they were drawn from.
        sums: the sum of each split's lists, see `lists_sum`.
    """

    digest: str
    sums: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Triplets:
    """Lists of triplets.

    Attributes:
        lists: image indices (K, 3) int64 of each task, by split that has images.
        sums: sum of the lists of each split, see `lists_sum`.
    """

    lists: Mapping[str, list[Tensor]]
    sums: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class TripletsCache:
    """The triplets of some attributes.

    A list depends on the stem, the split and the attribute, and not on the other attributes.

    Attributes:
        stem: the name of the files of images, e.g. ``celeba``.
        name: the part of the file name that distinguishes these lists from others of the same files.
        attributes: (T) the attributes that are tasks.
        counts: triplets of each attribute, by split.
        both: True for anchors of either class.
        root: the data root.
        owner: the dataset as the person wrote it, for errors.
    """

    stem: str
    name: str
    attributes: Sequence[str]
    counts: Mapping[str, int]
    both: bool
    root: Path
    owner: str

    @property
    def path(self) -> Path:
        """The file below the data root."""
        numbers = "-".join(str(self.counts[split]) for split in ("train", "test"))
        anchors = "-both" if self.both else ""
        return self.root / "faces" / f"{self.stem}-triplets-{self.name}-{numbers}{anchors}-v{RECIPE}.safetensors"

    def prepare(self, annotations: Annotations, where: Path) -> Triplets:
        """Return the lists, drawn unless they are cached.

        Raises:
            DataError: in some split too few images have an attribute, or lack it; the text names the file `where`.
        """
        digest = annotations.digest()
        try:
            return self.read(digest)
        except DataError:
            return self._fill(annotations, digest, where)

    def read(self, digest: str) -> Triplets:
        """Return the lists that were prepared.

        Args:
            digest: the sum of the annotations.

        Raises:
            DataError: they are missing, truncated or altered, or of other annotations.
        """
        tensors, facts = read_tensors(self.path, self.owner, ListFacts)
        if facts.digest != digest:
            raise DataError(
                f"{self.path} was drawn from other annotations.",
                mend=f"`mtbench data prepare {self.owner}` draws it again.",
            )
        lists = {split: list(tensors[split].long()) for split in self.counts if split in tensors}  # in this order
        return Triplets(lists=lists, sums=facts.sums)

    def sums(self, digest: str) -> Mapping[str, str]:
        """Return the sum of the lists by split; empty where they are not prepared from these annotations."""
        facts = read_facts(self.path, ListFacts)
        return facts.sums if facts is not None and digest and facts.digest == digest else {}

    def _fill(self, annotations: Annotations, digest: str, where: Path) -> Triplets:
        lists = {
            split: [self._drawn(annotations, split, each, where) for each in self.attributes]
            for split in self.counts
            if len(annotations.rows(split))
        }
        sums = {split: lists_sum(each) for split, each in lists.items()}
        facts = ListFacts(digest=digest, sums=sums)
        write_tensors(self.path, {split: torch.stack(each).int() for split, each in lists.items()}, asdict(facts))
        return Triplets(lists=lists, sums=sums)

    def _drawn(self, annotations: Annotations, split: str, attribute: str, where: Path) -> Tensor:
        rows = annotations.rows(split)
        has = annotations.has(attribute)[rows]
        those, least = int(has.sum()), 2 if self.both else 1
        if those < 2 or len(has) - those < least:
            raise DataError(
                f"{where}: {attribute} is 1 for {those:,} of the {len(has):,} images of the {split} split; a triplet "
                "needs two images that have it and one that has not.",
                mend="Give the split more images, or choose a dataset without this attribute.",
            )
        generator = stream(0, self.stem, split, task_name(attribute))
        return rows[draw_triplets(has, self.counts[split], generator, both=self.both)]
