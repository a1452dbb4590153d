"""The common part of all dense datasets: images, and maps as targets, from folders of ``.npy`` files.

Shapes: N images of H x W pixels, T tasks.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from mtbench.contract import Dataset, Depth, Flip, Kind, Normals, ScaleCrop, Segmentation, Split, Task, derive, option

from ..files import sum_beside
from ..splits import check_split, title
from .arrays import UNDEFINED, ArrayCache
from .layout import PARTS, Layout
from .reading import Folder
from .summary import RECIPE, Facts, known_facts, read_facts, summarize, write_facts

__all__ = ["Dense", "DenseOptions", "ordered"]

HELD = 0.1
"""Fraction of the training images that a validation split takes."""
TASKS = {"label": "segmentation", "depth": "depth", "normal": "normals"}


@dataclass(frozen=True, kw_only=True)
class DenseOptions:
    augment: bool = option(True, "training images are enlarged and cropped at random (1, 1.2 or 1.5 times) and flipped")
    like: str = option(
        "none",
        "definitions of losses, metrics and augmentation: none (this program's own), or libmtl (those of LibMTL, where "
        "they differ, and of the code that it has them from)",
        choices=("none", "libmtl"),
    )


class Dense(Dataset):
    """Segmentation, depth and normals of the pixels of an image.

    The files' ``val`` is the test split. A validation split takes a tenth of the training images, by a hash of their
    indices: the last ones in the caches, so that each split is a piece of each cache.

    Attributes:
        name: the registered name.
        help: a sentence on where to get the files, for errors.
        inverse: True if depths are disparities.
        classes: the names of the classes by label; empty where they are not known.
    """

    Options: ClassVar[type[Any]] = DenseOptions
    name: ClassVar[str]
    help: ClassVar[str]
    inverse: ClassVar[bool] = False
    classes: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """The form of the files."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(
            Task(
                name=TASKS[content],
                kind=kind,
                answers=self.classes if content == "label" else (),
                unit="m" if content == "depth" and not self.inverse else "",
            )
            for content, kind in self._kinds().items()
        )

    @property
    def title(self) -> str:
        """The dataset as written on the command line, e.g. ``nyuv2:like=libmtl``."""
        return title(self.name, self.options)

    @property
    def stem(self) -> str:
        """The beginning of the names of its files below the data root."""
        return self.source

    def prepare(self, say: Callable[[str], None]) -> None:
        files = self._files
        facts = known_facts(self._path, self.title)
        if facts is not None and not files.is_there:  # originals that were deleted are not missed
            counts, label = facts.counts, facts.label
        else:
            counts, label = files.counts(), files.label
        say(
            f"{self.title}: {counts['train']:,} images to train on, of which a validation split, if asked for, takes "
            f"{held_out(counts['train']):,}, and {counts['val']:,} to test on; labels are those of {label}/"
        )
        caches = {key: cache for part in PARTS for key, cache in self._caches(part, counts[part], label).items()}
        for cache in caches.values():
            cache.find_originals()
        for cache in caches.values():
            cache.prepare(say)
        names = self.classes or [str(label) for label in range(self.layout.classes)]
        found = {} if facts is None else dict(facts.parts)
        for key, cache in caches.items():
            if key not in found or found[key].fingerprint != cache.fingerprint():
                mapped, content = cache.open(), key.rpartition("-")[2]
                found[key] = summarize(content, mapped.images, mapped.release, cache.fingerprint(), names)
            say(f"{self.title}: {key}: {found[key].line}")
        now = Facts(counts=counts, label=label, parts={key: found[key] for key in caches})
        if now != facts:
            write_facts(self._path, now)

    def verify(self) -> list[tuple[Path, str]]:
        facts = read_facts(self._path, self.title)
        head = (self._path, f"sha256:{sum_beside(self._path)}")
        return [head, *(line for cache in self._all_caches(facts) for line in cache.verify())]

    def load(self, split: str, *, validation: bool) -> Split:
        check_split(self.title, split, validation=validation)
        facts = read_facts(self._path, self.title)
        part = "val" if split == "test" else "train"
        count = facts.counts[part]
        cut = count - held_out(count) if part == "train" and validation else count
        rows = slice(cut, count) if split == "val" else slice(0, cut)
        mapped = {key: cache.open() for key, cache in self._caches(part, count, facts.label).items()}
        image, *targets = (each.images[rows] for each in mapped.values())

        def release() -> None:
            for each in mapped.values():
                each.release()

        return Split(
            inputs=image,
            targets=tuple(targets),
            defined=self._defined(facts, part)[rows],
            mean=(0.0, 0.0, 0.0),  # as all published code but Auto-Lambda's: colors are from 0 to 1
            std=(1.0, 1.0, 1.0),
            augment=(ScaleCrop(), Flip()) if split == "train" and self.options.augment else (),
            release=release,
            mapped_targets=True,
        )

    def fingerprint(self) -> str:
        facts = known_facts(self._path, self.title)
        if facts is None:
            return ""
        sums = [cache.fingerprint() for cache in self._all_caches(facts)]
        return hashlib.sha256(" ".join(sums).encode()).hexdigest() if all(sums) else ""

    def _kinds(self) -> dict[str, Kind]:
        """Return the kind of each task, by the contents of its folder."""
        like: Literal["", "libmtl"] = "libmtl" if self.options.like == "libmtl" else ""
        kinds: dict[str, Kind] = {
            "label": Segmentation(classes=self.layout.classes, ignore=UNDEFINED, like=like),
            "depth": Depth(inverse=self.inverse, like=like),
            "normal": Normals(like=like),
        }
        return {content: kinds[content] for content in self.layout.folders("") if content in kinds}

    def _defined(self, facts: Facts, part: str) -> Tensor:
        """Return the maps (N, T) bool of a part that have a defined pixel."""
        defined = torch.ones(facts.counts[part], len(self._kinds()), dtype=torch.bool)
        for column, content in zip(defined.T, self._kinds(), strict=True):
            found = facts.parts[f"{part}-{content}"]
            column[list(found.empty_like.get(self.options.like, found.empty))] = False
        return defined

    @property
    def _files(self) -> Folder:
        return Folder(path=self.folder, layout=self.layout, help=self.help)

    @property
    def _path(self) -> Path:
        return self.root / "dense" / f"{self.stem}-{self.layout.classes}-v{RECIPE}.json"

    def _all_caches(self, facts: Facts) -> Iterator[ArrayCache]:
        for part in PARTS:
            yield from self._caches(part, facts.counts[part], facts.label).values()

    def _caches(self, part: str, count: int, label: str) -> dict[str, ArrayCache]:
        """Return the caches of one part, first that of images, by part and content, e.g. ``train-depth``."""
        files, order = self._files, ordered(self.name, count) if part == "train" else range(count)
        return {
            f"{part}-{content}": ArrayCache(
                form=files.form(content),
                stem=f"{self.stem}-{part}-{folder}",
                note=f"{self.layout.classes}classes" if content == "label" else "",
                files=[files.file(part, folder, index) for index in order],
                size=self.layout.size,
                root=self.root,
                owner=self.title,
                help=self.help,
            )
            for content, folder in self.layout.folders(label).items()
        }


def held_out(count: int) -> int:
    """Return how many of the training images a validation split takes: a tenth, and at least one."""
    return max(1, round(HELD * count))


def ordered(name: str, count: int) -> list[int]:
    """Return the indices of the training images in the order of the caches: by a hash of dataset and index.

    The `held_out` ones are the last. So many first ones, as a training protocol asks for, are of all scenes, which the
    files have one after the other.
    """
    return sorted(range(count), key=lambda index: derive(0, name, "order", index))
