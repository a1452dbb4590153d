"""The common part of all datasets of shoes: triplets of pictures, four tasks of retrieval.

Shapes: N pictures, T = 4 tasks, M triplets.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from mtbench.contract import Dataset, Retrieval, Split, Task, TrainingProtocol, option
from mtbench.errors import DataError

from ..files import sum_beside
from ..images import ImageFolder
from ..splits import check_split, title
from ..triplets import MEAN, STD, paper_protocol, triplet_split
from .cache import CatalogCache
from .catalog import Catalog
from .reading import Folder
from .triplets import choose_triplets, list_sum
from .vocabulary import TASKS

__all__ = ["Shoes", "ShoesOptions", "Zappos50k"]

_LISTS = (
    ("train", False, "train"),
    ("train", True, "train with validation held out"),
    ("val", True, "val"),
    ("test", False, "test"),
)


@dataclass(frozen=True, kw_only=True)
class ShoesOptions:
    size: int = option(150, "side of the square that pictures are resized to, in pixels", low=32, high=1024)
    lists: str = option(
        "auto",
        "triplets: public (the lists of Veit et al.), generated (drawn from the metadata), or auto (public if they are "
        "there)",
        choices=("auto", "public", "generated"),
    )
    triplets: int = option(30_000, "triplets per task to train on", low=1, high=1_000_000)
    test_triplets: int = option(10_000, "triplets per task to test on, and to validate on", low=1, high=1_000_000)


class Shoes(Dataset):
    """Retrieval of shoes by category, closure, gender and height of heel, from UT-Zappos50K or a world in its format.

    Examples are triplets of one task each, the tasks in turn, so that the first so many have equally many of each.
    Generated triplets are of a split by image, 70, 10 and 20 %, by hashes of paths; without validation, the pictures to
    validate on are trained on too. Public lists have a split of their own, whose lists to validate on are used for
    nothing else.

    Attributes:
        name: the registered name.
        help: a sentence on where to get the files, for errors.
    """

    Options: ClassVar[type[Any]] = ShoesOptions
    default_backbone = "retrieval"
    name: ClassVar[str]
    help: ClassVar[str]

    def __init__(self, options: ShoesOptions, root: Path) -> None:
        super().__init__(options, root)
        self.input_shape = (3, options.size, options.size)  # type: ignore[misc]

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The four tasks; once the metadata were read, with the names of classes, for readers of pages."""
        values = self._catalog.values() or ((),) * len(TASKS)
        return tuple(
            Task(name=attribute.name, kind=Retrieval(), question=attribute.question, answers=tuple(answers))
            for attribute, answers in zip(TASKS, values, strict=True)
        )

    @property
    def title(self) -> str:
        """The dataset as written on the command line, e.g. ``zappos50k:size=64``."""
        return title(self.name, self.options)

    @property
    def stem(self) -> str:
        """The beginning of the names of its files below the data root."""
        return self.source

    @classmethod
    def check_folder(cls, folder: Path) -> None:
        Folder(path=folder, help=cls.help).check()

    def prepare(self, say: Callable[[str], None]) -> None:
        catalog = self._catalog.prepare()
        for line in (*catalog.remarks, *self._sums(catalog)):
            say(f"{self.title}: {line}")
        self._images(catalog).prepare(say)

    def verify(self) -> list[tuple[Path, str]]:
        catalog = self._catalog.read()
        return [(self._catalog.path, f"sha256:{sum_beside(self._catalog.path)}"), *self._images(catalog).verify()]

    def load(self, split: str, *, validation: bool) -> Split:
        check_split(self.title, split, validation=validation)
        catalog = self._catalog.read()
        pictures = self._images(catalog).open()
        return dataclasses.replace(
            self._split(catalog, split, validation), inputs=pictures.images, release=pictures.release
        )

    def labels(self, split: str, *, validation: bool) -> Split:
        check_split(self.title, split, validation=validation)
        catalog = self._catalog.prepare()
        return dataclasses.replace(self._split(catalog, split, validation), inputs=torch.empty(len(catalog), 0))

    def fingerprint(self) -> str:
        try:
            catalog = self._catalog.read()
        except DataError:
            return ""
        sums = [catalog.digest(), self._images(catalog).fingerprint(), *self._sums(catalog)]
        return hashlib.sha256(" ".join(sums).encode()).hexdigest() if all(sums) else ""

    @property
    def _catalog(self) -> CatalogCache:
        folder = Folder(path=self.folder, help=self.help)
        return CatalogCache(folder=folder, stem=self.stem, root=self.root, owner=self.title)

    def _images(self, catalog: Catalog) -> ImageFolder:
        return ImageFolder(
            stem=self.stem,
            files=[self.folder / file for file in catalog.files],
            size=(self.options.size, self.options.size),
            root=self.root,
            owner=self.title,
            help=self.help,
        )

    def _triplets(self, catalog: Catalog, split: str, validation: bool) -> list[Tensor]:
        """Return per task the triplets (M, 3) of a split.

        Raises:
            DataError: public lists were asked for and are not there.
        """
        options: ShoesOptions = self.options
        public = self._public(catalog)
        if public and not catalog.lists:
            raise DataError(
                f"no public triplet lists lie in {self.folder}.",
                mend="Put filenames.json and tripletlists/ of Veit et al. there, or use lists=generated.",
                where=self.help,
            )
        parts = ("train", "val") if split == "train" and not (public or validation) else (split,)
        count = options.triplets if split == "train" else options.test_triplets
        return choose_triplets(catalog, parts, count, public=public)

    def _split(self, catalog: Catalog, split: str, validation: bool) -> Split:
        """Return a split without images."""
        triplets = self._triplets(catalog, split, validation)
        found = triplet_split(triplets, catalog.classes.long(), torch.empty(len(catalog), 0))
        return dataclasses.replace(found, mean=MEAN, std=STD)

    def _public(self, catalog: Catalog) -> bool:
        """Return True if triplets are those of the public lists."""
        lists: str = self.options.lists
        return lists == "public" or (lists == "auto" and bool(catalog.lists))

    def _sums(self, catalog: Catalog) -> list[str]:
        """Return a line for each list of triplets, with its sum."""
        whose = "from the public lists of Veit et al." if self._public(catalog) else "generated"
        lines = []
        for split, validation, words in _LISTS:
            triplets = self._triplets(catalog, split, validation)
            used = len(torch.cat(triplets).unique())  # type: ignore[no-untyped-call]
            lines.append(
                f"{words}: {sum(map(len, triplets)):,} triplets, {whose}, of {used:,} pictures, sha256 "
                f"{list_sum(triplets, catalog.names)}"
            )
        return lines


class Zappos50k(Shoes):
    """UT-Zappos50K as four tasks of retrieval: shoes of the same category, closure, gender and height of heel.

    These are the conditions of Veit et al. (2017). Two other tests are called Zappos and have other numbers: pairs that
    are more or less open, pointy, sporty or comfortable (Yu & Grauman 2014), and materials times kinds of shoes, some
    pairs of them unseen.
    """

    protocols: ClassVar = {
        # Optimizer and schedule of Zhao et al. (2018); a batch of 180 images, as theirs for 20 tasks.
        "paper": paper_protocol(60),
        "quick": TrainingProtocol(
            name="quick",
            epochs=2,
            batch=60,
            lr=0.01,
            optimizer="adagrad",
            initial_accumulator=0.1,
            schedule="constant",
            images=4800,
            seeds=2,
        ),
    }
    source = "zappos"
    name = "zappos50k"
    paper = (
        "Yu & Grauman, Fine-Grained Visual Comparisons with Local Learning, CVPR 2014; tasks: Veit et al., Conditional "
        "Similarity Networks, CVPR 2017"
    )
    help = (
        "UT-Zappos50K of Yu & Grauman (2014) is to be had from the University of Texas, ut-zap50k-images.zip and "
        "ut-zap50k-data.zip; `mtbench data link zappos FOLDER` says where they lie."
    )
