"""The common part of all datasets of CLEVR: labels from the scenes, pictures from a cache of decoded images.

Shapes: N examples, T tasks, K places for objects in a scene.
"""

import dataclasses
import hashlib
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from mtbench.contract import Dataset, Split, Task, derive, option

from ..files import sum_beside
from ..images import IMAGENET_MEAN, IMAGENET_STD, ImageFolder
from ..splits import check_split, title
from .cache import RECIPE, ScenesCache
from .questions import Questions
from .reading import OFFICIAL, Folder
from .scenes import Scenes

__all__ = ["Clevr", "ClevrOptions", "held_out"]


@dataclass(frozen=True, kw_only=True)
class ClevrOptions:
    size: int = option(224, "side of the square that pictures are resized to, in pixels", low=32, high=1024)


class Clevr(Dataset):
    """A set of questions about the pictures of CLEVR, or of a world in its format.

    CLEVR's val is the test split, since its test images have no scenes. Where a validation split is held out, a hash of
    the image's index within train decides (5 %).

    Attributes:
        name: the registered name.
        help: a sentence on where to get the files, for errors.
    """

    Options: ClassVar[type[Any]] = ClevrOptions
    source = "clevr"
    default_backbone = "vgg11"
    paper = (
        "Johnson et al., CLEVR, CVPR 2017; questions: Levi & Ullman, Multi-Task Learning by a Top-Down Control "
        "Network, ICIP 2021"
    )
    name: ClassVar[str]
    help: ClassVar[str] = (
        "CLEVR v1.0 of Johnson et al. (2017) is to be had from its authors' page; `mtbench data link clevr FOLDER` "
        "says where it lies."
    )

    def __init__(self, options: ClevrOptions, root: Path) -> None:
        super().__init__(options, root)
        self.input_shape = (3, options.size, options.size)  # type: ignore[misc]
        self.questions = self.ask()
        self.points = self.questions.about_objects  # type: ignore[misc]
        self._tasks = self.questions.tasks

    @abstractmethod
    def ask(self) -> Questions:
        """Return the questions that the options ask for.

        Raises:
            UsageError: the options do not fit each other.
        """

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self._tasks

    @property
    def title(self) -> str:
        """The dataset as written on the command line, e.g. ``clevr4:size=64``."""
        return title(self.name, self.options)

    @property
    def stem(self) -> str:
        """The beginning of the names of its files below the data root."""
        return self.source

    @classmethod
    def check_folder(cls, folder: Path) -> None:
        Folder(path=folder, help=cls.help).check()

    def prepare(self, say: Callable[[str], None]) -> None:
        scenes = {part: self._scenes(part).prepare() for part in OFFICIAL}
        held = int(held_out(len(scenes["train"])).sum())
        say(
            f"{self.title}: {len(scenes['train']):,} scenes to train on, of which a validation split, if asked for, "
            f"takes {held:,}, and {len(scenes['val']):,} to test on"
        )
        for part, found in scenes.items():
            say(f"{self.title}: relations computed anew in {found.recomputed:,} scenes of {part}")
        folders = [self._images(part, len(found), found.frame) for part, found in scenes.items()]
        for folder in folders:
            folder.find_originals()  # of both parts, before hours may go into the first
        for folder in folders:
            folder.prepare(say)

    def verify(self) -> list[tuple[Path, str]]:
        checked = []
        for part in OFFICIAL:
            cache = self._scenes(part)
            scenes = cache.read()
            checked.append((cache.path, f"sha256:{sum_beside(cache.path)}"))
            checked += self._images(part, len(scenes), scenes.frame).verify()
        return checked

    def load(self, split: str, *, validation: bool) -> Split:
        part = self._part(split, validation)
        scenes = self._scenes(part).read()
        pictures = self._images(part, len(scenes), scenes.frame).open()
        rows = self._rows(split, len(scenes), validation)
        return dataclasses.replace(
            self._labelled(scenes if rows is None else scenes[rows]),
            inputs=pictures.images,
            release=pictures.release,
            members=None if rows is None else rows[:, None],
        )

    def labels(self, split: str, *, validation: bool) -> Split:
        part = self._part(split, validation)
        scenes = self._scenes(part).prepare()
        rows = self._rows(split, len(scenes), validation)
        return self._labelled(scenes if rows is None else scenes[rows])

    def marks(self, split: str, count: int) -> Tensor | None:
        scenes = self._scenes(self._part(split, validation=False)).read()
        return scenes[:count].points(self._size)

    def fingerprint(self) -> str:
        sums = []
        for part in OFFICIAL:
            facts = self._scenes(part).facts()
            if facts is None:
                return ""
            sums += [facts.digest, self._images(part, facts.count, facts.frame).fingerprint()]
        return hashlib.sha256(" ".join(sums).encode()).hexdigest() if all(sums) else ""

    @property
    def _size(self) -> tuple[int, int]:
        return self.options.size, self.options.size

    @property
    def _files(self) -> Folder:
        return Folder(path=self.folder, help=self.help)

    def _scenes(self, part: str) -> ScenesCache:
        path = self.root / "scenes" / f"{self.stem}-{part}-v{RECIPE}.safetensors"
        return ScenesCache(folder=self._files, part=part, path=path, owner=self.title)

    def _images(self, part: str, count: int, frame: tuple[int, int]) -> ImageFolder:
        folder = self._files
        return ImageFolder(
            stem=f"{self.stem}-{part}",
            files=[folder.picture(part, index) for index in range(count)],
            size=self._size,
            root=self.root,
            owner=self.title,
            help=self.help,
            original=frame,
        )

    def _part(self, split: str, validation: bool) -> str:
        """Return the part of CLEVR that a split is of; errors as `check_split`."""
        check_split(self.title, split, validation=validation)
        return "val" if split == "test" else "train"

    def _rows(self, split: str, count: int, validation: bool) -> Tensor | None:
        """Return the rows (N,) int64 of its part that a split has; None if it has them all."""
        if split == "test" or not validation:
            return None
        return (held_out(count) == (split == "val")).nonzero().squeeze(1)

    def _labelled(self, scenes: Scenes) -> Split:
        """Return the split of these scenes, without images."""
        answers = self.questions.answer(scenes)
        points = None
        if answers.objects is not None:
            everywhere = scenes.points(self._size)  # (N, K, 2)
            points = torch.empty(*answers.objects.shape[::-1], 2).transpose(0, 1)  # (N, T, 2), each task in one piece
            for task, places in enumerate(answers.objects.T):
                chosen = places.long().clamp(min=0)[:, None, None].expand(-1, 1, 2)
                points[:, task] = everywhere.gather(1, chosen)[:, 0]
                points[:, task][places < 0] = torch.nan
        return Split(
            inputs=torch.empty(len(scenes), 0),
            targets=tuple(answers.targets.T),
            defined=answers.targets >= 0,
            points=points,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
        )


def held_out(count: int) -> Tensor:
    """Return (count,) bool, which of the training images a validation split takes: by a hash of the index, 5 %."""
    return torch.tensor([derive(0, "clevr", "validation", index) % 20 == 0 for index in range(count)], dtype=torch.bool)
