"""The common part of all datasets of birds: labels and points from the annotations, pictures from a cache.

Shapes: N examples, T = 12 tasks, P = 15 parts.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from mtbench.contract import Classification, Dataset, Flip, Split, Task, TrainingProtocol, derive, option
from mtbench.errors import DataError

from ..files import sum_beside
from ..images import IMAGENET_MEAN, IMAGENET_STD, ImageFolder
from ..splits import check_split, title
from .annotations import Annotations
from .cache import AnnotationsCache
from .frames import FramesCache
from .reading import Folder
from .summary import color_lines, outside_lines
from .vocabulary import COLORS, GROUPS, UNKNOWN

__all__ = ["Birds", "BirdsOptions", "Cub200", "held_out", "shuffled"]

ANSWERS = (*COLORS, "unknown")


@dataclass(frozen=True, kw_only=True)
class BirdsOptions:
    size: int = option(224, "side of the square that pictures are resized to, in pixels", low=32, high=1024)
    multi: str = option(
        "certainty",
        "class where several colors of a part are marked: certainty (the color of the highest certainty, of equal ones "
        "the most frequent of the species), first (in the order of the files), or unknown",
        choices=("certainty", "first", "unknown"),
    )
    flip: bool = option(True, "left and right of training images, and of their points, are exchanged at random")


class Birds(Dataset):
    """Colors of 12 parts of a bird, from CUB-200-2011 or from a world in its format.

    Where a validation split is held out, a hash of the image's path decides, within the training images of each
    species. The order of examples is one of hashes too, since the files list images by species: the first examples,
    which a protocol may ask for, are of all species.

    Attributes:
        name: the registered name.
        help: a sentence on where to get the files, for errors.
    """

    Options: ClassVar[type[Any]] = BirdsOptions
    default_backbone = "resnet18"
    tasks: ClassVar[tuple[Task, ...]] = tuple(
        Task(
            name=group.name,
            kind=Classification(classes=len(ANSWERS), unknown=UNKNOWN),
            question=f"color of the {group.name.replace('-', ' ')}",
            answers=ANSWERS,
        )
        for group in GROUPS
    )
    points = True
    name: ClassVar[str]
    help: ClassVar[str]

    def __init__(self, options: BirdsOptions, root: Path) -> None:
        super().__init__(options, root)
        self.input_shape = (3, options.size, options.size)  # type: ignore[misc]

    @property
    def title(self) -> str:
        """The dataset as written on the command line, e.g. ``cub200:size=64``."""
        return title(self.name, self.options)

    @property
    def stem(self) -> str:
        """The beginning of the names of its files below the data root."""
        return self.source

    @classmethod
    def check_folder(cls, folder: Path) -> None:
        Folder(path=folder, help=cls.help).check()

    def prepare(self, say: Callable[[str], None]) -> None:
        found = self._annotations.prepare()
        for what, some in (("train", found.training.any()), ("test", (~found.training).any())):
            if not some:
                raise DataError(f"{self._files.files['split']} has no image to {what} on.", where=self.help)
        for line in (*found.remarks, _counts(found), *color_lines(found)):
            say(f"{self.title}: {line}")
        pictures = self._images(found.names)
        pictures.find_originals()
        for line in outside_lines(found, self._frames(found.names).prepare()):
            say(f"{self.title}: {line}")
        pictures.prepare(say)

    def verify(self) -> list[tuple[Path, str]]:
        names = self._annotations.read().names
        self._frames(names).read()
        files = (self._annotations.path, self._frames(names).path)
        checked = [(path, f"sha256:{sum_beside(path)}") for path in files]
        return checked + self._images(names).verify()

    def load(self, split: str, *, validation: bool) -> Split:
        check_split(self.title, split, validation=validation)
        found = self._annotations.read()
        pictures = self._images(found.names).open()
        rows = _rows(found, split, validation)
        frames = self._frames(found.names).read()[rows]
        return dataclasses.replace(
            self._labelled(found.rows(rows), frames),
            inputs=pictures.images,
            release=pictures.release,
            members=rows[:, None],
            augment=(Flip(),) if self.options.flip and split == "train" else (),
        )

    def labels(self, split: str, *, validation: bool) -> Split:
        """Return a split as `Dataset.labels` does, with points if the sizes of the images are prepared."""
        check_split(self.title, split, validation=validation)
        found = self._annotations.prepare()
        rows = _rows(found, split, validation)
        try:
            frames = self._frames(found.names).read()[rows]
        except DataError:
            return self._labelled(found.rows(rows))
        return self._labelled(found.rows(rows), frames)

    def marks(self, split: str, count: int) -> Tensor | None:
        check_split(self.title, split, validation=False)
        found = self._annotations.read()
        rows = _rows(found, split, validation=False)[:count]
        return found.rows(rows).scaled(self._frames(found.names).read()[rows], self._size)

    def fingerprint(self) -> str:
        facts = self._annotations.facts()
        if facts is None:
            return ""
        sums = [facts.digest, self._frames(facts.names).digest(), self._images(facts.names).fingerprint()]
        return hashlib.sha256(" ".join(sums).encode()).hexdigest() if all(sums) else ""

    @property
    def _size(self) -> tuple[int, int]:
        return self.options.size, self.options.size

    @property
    def _files(self) -> Folder:
        return Folder(path=self.folder, help=self.help)

    @property
    def _annotations(self) -> AnnotationsCache:
        return AnnotationsCache(folder=self._files, stem=self.stem, root=self.root, owner=self.title)

    def _frames(self, names: Sequence[str]) -> FramesCache:
        files = [self._files.picture(name) for name in names]
        return FramesCache(stem=self.stem, files=files, root=self.root, owner=self.title, help=self.help)

    def _images(self, names: Sequence[str]) -> ImageFolder:
        return ImageFolder(
            stem=self.stem,
            files=[self._files.picture(name) for name in names],
            size=self._size,
            root=self.root,
            owner=self.title,
            help=self.help,
        )

    def _labelled(self, annotations: Annotations, frames: Tensor | None = None) -> Split:
        """Return the split of these annotations, without images; with points if the images' sizes (N, 2) are given."""
        classes = annotations.labels(self.options.multi)
        return Split(
            inputs=torch.empty(len(annotations), 0),
            targets=tuple(classes.T.contiguous()),
            defined=torch.ones_like(classes, dtype=torch.bool),
            points=None if frames is None else annotations.points(frames, self._size),
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
        )


class Cub200(Birds):
    """CUB-200-2011 with 12 tasks: the color of a bird's wing, tail, throat and so on, one of 15 or unknown.

    Every image has a label for every task, unknown where no color is marked.
    """

    protocols: ClassVar = {
        # Epochs, batch, learning rate and optimizer of the paper, which had two GPUs with 64 images each.
        "paper": TrainingProtocol(name="paper", epochs=200, batch=128, lr=1e-4, seeds=3),
        "quick": TrainingProtocol(name="quick", epochs=2, batch=32, lr=1e-4, images=2000, seeds=2),
    }
    source = "cub"
    name = "cub200"
    paper = (
        "Wah et al., The Caltech-UCSD Birds-200-2011 Dataset, CNS-TR-2011-001; tasks: Levi & Ullman, Multi-Task "
        "Learning by a Top-Down Control Network, 2020"
    )
    help = (
        "CUB-200-2011 of Wah et al. (2011) is to be had from Caltech's pages; `mtbench data link cub FOLDER` says "
        "where it lies."
    )


def held_out(names: Sequence[str], species: Tensor, training: Tensor) -> Tensor:
    """Return a mask (N,) bool of the training images that a validation split takes.

    It takes a tenth of the training images of each species, rounded, and at least one where there are two or more: the
    images whose paths have the lowest hashes.

    Args:
        names: (N) paths.
        species, training: (N,), as in `Annotations`.
    """
    chosen = torch.zeros(len(names), dtype=torch.bool)
    for each in sorted(set(species[training].tolist())):
        rows = ((species == each) & training).nonzero().squeeze(1).tolist()
        rows.sort(key=lambda row: derive(0, "cub", "validation", names[row]))
        chosen[rows[: max((len(rows) + 5) // 10, int(len(rows) > 1))]] = True
    return chosen


def shuffled(names: Sequence[str]) -> Tensor:
    """Return an order (N,) int64 of images that depends only on hashes of their paths."""
    return torch.tensor(sorted(range(len(names)), key=lambda row: derive(0, "cub", "order", names[row])))


def _rows(annotations: Annotations, split: str, validation: bool) -> Tensor:
    """Return the indices (n,) int64 of a split's images, in the order of the split."""
    wanted = ~annotations.training if split == "test" else annotations.training
    if validation and split != "test":
        wanted = wanted & (held_out(annotations.names, annotations.species, annotations.training) == (split == "val"))
    order = shuffled(annotations.names)
    return order[wanted[order]]


def _counts(annotations: Annotations) -> str:
    training = int(annotations.training.sum())
    held = int(held_out(annotations.names, annotations.species, annotations.training).sum())
    return (
        f"{training:,} images of {len(annotations.percentages):,} species to train on, of which a validation split, if "
        f"asked for, takes {held:,}, about a tenth of each species, and {len(annotations) - training:,} to test on"
    )
