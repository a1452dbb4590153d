"""The common part of all datasets of faces, and CelebA with a binary task for each attribute.

Shapes: N images, T tasks.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from mtbench.contract import Classification, Dataset, Split, Task, TrainingProtocol, option
from mtbench.errors import DataError

from ..files import sum_beside
from ..images import IMAGENET_MEAN, IMAGENET_STD, ImageFolder
from ..splits import check_split, title
from .annotations import PARTS, Annotations
from .cache import AnnotationsCache
from .reading import Folder
from .vocabulary import NAMES, task_name

__all__ = ["Celeba", "CelebaOptions", "Faces", "Labels", "Recipe"]

PAPER = "Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """From an image as released to the numbers that a network sees.

    Attributes:
        crop: True for the middle square of the image, False for the whole image, squashed.
        nearest: see `ImageFolder`.
        mean, std: mean and standard deviation of each channel, of images scaled to [0, 1].
    """

    crop: bool = False
    nearest: bool = False
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD


class Faces(Dataset):
    """Attributes of faces, from CelebA or from a world in its format.

    The splits are the official ones: where a validation split is asked for it is the official one, and the training
    split is the same either way.

    Attributes:
        name: the registered name.
        help: a sentence on where to get the files, for errors.
    """

    name: ClassVar[str]
    help: ClassVar[str] = (
        "CelebA of Liu et al. (2015) is to be had from its authors; `mtbench data link celeba FOLDER` says where "
        "it lies."
    )
    source = "celeba"

    def __init__(self, options: Any, root: Path) -> None:
        super().__init__(options, root)
        self.input_shape = (3, options.size, options.size)  # type: ignore[misc]

    @property
    def title(self) -> str:
        """The dataset as written on the command line, e.g. ``celeba:size=128``."""
        return title(self.name, self.options)

    @property
    def stem(self) -> str:
        """The beginning of the names of its files below the data root."""
        return self.source

    @property
    def attributes(self) -> Sequence[str]:
        """The attributes that are tasks, by CelebA's names, in the order of the tasks."""
        raise NotImplementedError

    @property
    def recipe(self) -> Recipe:
        """From an image to the input of a network."""
        raise NotImplementedError

    @classmethod
    def check_folder(cls, folder: Path) -> None:
        Folder(path=folder, help=cls.help).check()

    def prepare(self, say: Callable[[str], None]) -> None:
        found = self._annotations.prepare()
        for split in ("train", "test"):
            self._expect_images(found, split)
        for line in (*found.remarks, _counts(found), *self._lines(found)):
            say(f"{self.title}: {line}")
        self._images(len(found)).prepare(say)

    def _lines(self, annotations: Annotations) -> Sequence[str]:
        """Return more sentences on the annotations, after preparing the files that are made from them."""
        return (frequency_line(annotations, self.attributes),)

    def verify(self) -> list[tuple[Path, str]]:
        found = self._annotations.read()
        path = self._annotations.path
        return [(path, f"sha256:{sum_beside(path)}"), *self._images(len(found)).verify()]

    def load(self, split: str, *, validation: bool) -> Split:
        check_split(self.title, split, validation=validation)
        found = self._annotations.read()
        self._expect_images(found, split)
        pictures = self._images(len(found)).open()
        return dataclasses.replace(
            self._labelled(found, split, draw=False), inputs=pictures.images, release=pictures.release
        )

    def labels(self, split: str, *, validation: bool) -> Split:
        check_split(self.title, split, validation=validation)
        found = self._annotations.prepare()
        self._expect_images(found, split)
        return self._labelled(found, split, draw=True)

    def _expect_images(self, annotations: Annotations, split: str) -> None:
        if not len(annotations.rows(split)):
            raise DataError(f"{self._files.files['partition']} has no image of the {split} split.", where=self.help)

    def _labelled(self, annotations: Annotations, split: str, *, draw: bool) -> Split:
        """Return a split without images, whose `members` are rows of the images.

        Args:
            draw: False if the lists that are drawn once must exist already.
        """
        raise NotImplementedError

    def fingerprint(self) -> str:
        annotations = self._annotations.read() if self._annotations.digest() else None
        if annotations is None:
            return ""
        sums = [self._annotations.digest(), self._images(len(annotations)).fingerprint(), *self._sums()]
        return hashlib.sha256(" ".join(sums).encode()).hexdigest() if all(sums) else ""

    def _sums(self) -> Sequence[str]:
        """Return the sums of the files that are made from the annotations; empty for a file that is not prepared."""
        return ()

    @property
    def _files(self) -> Folder:
        return Folder(path=self.folder, help=self.help)

    @property
    def _annotations(self) -> AnnotationsCache:
        return AnnotationsCache(folder=self._files, stem=self.stem, root=self.root, owner=self.title)

    def _images(self, count: int) -> ImageFolder:
        files, recipe = self._files, self.recipe
        side = min(files.size)
        return ImageFolder(
            stem=self.stem,
            files=files.pictures(count),
            size=(self.options.size, self.options.size),
            root=self.root,
            owner=self.title,
            help=self.help,
            original=files.size,
            crop=(side, side) if recipe.crop else None,
            nearest=recipe.nearest,
        )


class Labels(Faces):
    """Attributes that are predicted from an image: a binary task each, class 1 if a face has the attribute."""

    default_backbone = "resnet18"

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(
            Task(
                name=task_name(name),
                kind=Classification(classes=2),
                question=f"{name.replace('_', ' ').lower()}?",
                answers=("no", "yes"),
            )
            for name in self.attributes
        )

    def _labelled(self, annotations: Annotations, split: str, *, draw: bool) -> Split:  # noqa: ARG002
        rows = annotations.rows(split)
        return Split(
            inputs=torch.empty(len(rows), 0),
            members=rows[:, None],
            targets=tuple(annotations.has(name)[rows].long() for name in self.attributes),
            defined=torch.ones(len(rows), len(self.attributes), dtype=torch.bool),
            mean=self.recipe.mean,
            std=self.recipe.std,
        )


@dataclass(frozen=True, kw_only=True)
class CelebaOptions:
    size: int = option(64, "side of the square that pictures are resized to, in pixels", low=16, high=512)
    recipe: str = option(
        "plain",
        "from picture to input: plain (bilinear, normalized with ImageNet's mean and deviation), isl (nearest pixel, a "
        "mean subtracted, as in the code of Sener and Koltun), or famo (bilinear, values of 0 to 1)",
        choices=("plain", "isl", "famo"),
    )


RECIPES = {
    "plain": Recipe(),
    # Released code subtracts (73.16, 82.91, 72.39) from blue, green and red. Here channels stay in the order of red,
    # green and blue, which is the same to a network that learns from scratch.
    "isl": Recipe(nearest=True, mean=(72.39 / 255, 82.91 / 255, 73.16 / 255), std=(1.0, 1.0, 1.0)),
    "famo": Recipe(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
}


class Celeba(Labels):
    """CelebA with 40 binary tasks, the attributes of a face: is it smiling, does it wear glasses and so on.

    Pictures are squashed to a square. Results under different recipes are of different inputs, and belong in tables
    of their own.
    """

    Options = CelebaOptions
    protocols: ClassVar = {
        # Sener & Koltun (2018), appendix and released code.
        "paper": TrainingProtocol(
            name="paper", epochs=100, batch=256, lr=5e-4, schedule="step:every=10:factor=.85", seeds=3
        ),
        "quick": TrainingProtocol(name="quick", epochs=2, batch=64, lr=1e-3, images=4000, seeds=2),
        # Released code of FAMO and those after it, with `recipe=famo`. Different there: the epoch is chosen by the mean
        # of F1 on validation, the network has nine layers, and the gradient of what tasks share, not of heads, is
        # clipped to norm 1. Its script for single tasks, from which Δm is taken, evaluates in training mode:
        # `norm-eval=batch`, with which it moves running statistics too; they stay here.
        "famo-celeba": TrainingProtocol(
            name="famo-celeba",
            epochs=15,
            batch=256,
            lr=3e-4,
            schedule="constant",
            validation=True,
            select="best-val",
            curve="all",
            norm_eval="running",
            seeds=3,
        ),
        # Kurin et al. (2022), released script for unitary scalarization, with `recipe=isl`. Different there: the epoch
        # is chosen by the mean accuracy on validation, the ResNet-18 has dropout, and IMTL and MGDA have lr 5e-4.
        "unitary-celeba": TrainingProtocol(
            name="unitary-celeba",
            epochs=50,
            batch=128,
            lr=1e-3,
            weight_decay=1e-3,
            schedule="exponential:factor=.95",
            validation=True,
            select="best-val",
            curve="all",
            norm_eval="running",
            seeds=3,
        ),
    }
    name = "celeba"
    paper = PAPER

    @property
    def attributes(self) -> Sequence[str]:
        return NAMES

    @property
    def recipe(self) -> Recipe:
        return RECIPES[self.options.recipe]


def frequency_line(annotations: Annotations, attributes: Sequence[str]) -> str:
    """Return a sentence on how many of the training images have each attribute."""
    rows = annotations.rows("train")
    shares = (f"{name} {_percent(annotations.has(name)[rows])}" for name in attributes)
    return f"of the training images have the attribute: {', '.join(shares)}"


def _percent(has: Tensor) -> str:
    return f"{100 * float(has.double().mean()):.1f} %" if len(has) else "none"


def _counts(annotations: Annotations) -> str:
    train, val, test = (len(annotations.rows(split)) for split in PARTS)
    return (
        f"{train:,} images to train on, {test:,} to test on, and {val:,} of a validation split, which are left out "
        "unless one is asked for"
    )
