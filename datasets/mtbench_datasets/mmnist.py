"""Multi-MNIST: several digits in one image, a task for each (Sabour et al. 2017 as varied by Sener & Koltun 2018).

Every MNIST digit is the first of one composite; the other digits are drawn uniformly with replacement from the same
half of MNIST, so that the same digit or the same label may come twice. The draws have fixed seeds of their own: all
methods and all repeats see the same images. Shapes: N examples, n digits in each, T tasks, B rows of a batch.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import safetensors.torch
import torch
from torch import Tensor

from mtbench.contract import Classification, Dataset, File, Shift, Split, Task, TrainingProtocol, option
from mtbench.contract.options import differences, render_value
from mtbench.errors import DataError, UsageError

from . import mnist
from .composites import PARTS, SIDE, Layout, Recipe, pad, place
from .files import read_with_sum, sum_beside, with_sum, write_with_sum
from .pairings import paired_parts
from .splits import check_split

__all__ = [
    "Foreground",
    "MultiMnist",
    "MultiMnist2",
    "MultiMnist2Options",
    "MultiMnist3",
    "MultiMnist4",
    "MultiMnist9",
    "MultiMnist9ByReference",
    "MultiMnistOptions",
    "right_of",
]

RECIPE = 1  # part of the cached files' names; raised when what is composed changes
LEVI = "Levi & Ullman, Multi-Task Learning by a Top-Down Control Network, ICIP 2021"
SENER = "Sener & Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018"


@dataclass(frozen=True, kw_only=True)
class MultiMnistOptions:
    offset: int = option(0, "pixels between neighbouring digits on the canvas; 0: the layout's own", low=0, high=100)
    canvas: int = option(
        0,
        "side of the canvas in pixels; 0: the layout's own, or if an offset is given the least that holds the digits",
        low=0,
        high=280,
    )
    shift: int = option(
        0, "training images are shifted at random by up to so many pixels along each axis", low=0, high=SIDE - 1
    )


class Foreground:
    """Maps of a task's digit, see `Split.foreground`. Tensors follow the rows that are asked for to their device.

    Args:
        tiles: the digits (M, 28, 28) uint8.
        members: (N, n) int64, the digits of each example.
        positions: (N, T) or (1, T) int64, which of an example's digits is the task's; -1 if none.
        layout: the places of the digits.
    """

    def __init__(self, tiles: Tensor, members: Tensor, positions: Tensor, layout: Layout) -> None:
        self._tensors: tuple[Tensor, ...] = (pad(tiles), members, positions.expand(len(members), -1), *layout.sources())

    def __call__(self, rows: Tensor, task: int) -> Tensor:
        """Return float maps (B, 28, 28): 1 where the digit, alone and resized like the image, is brighter than 127."""
        if self._tensors[0].device != rows.device:
            self._tensors = tuple(tensor.to(rows.device) for tensor in self._tensors)
        tiles, members, positions, source_rows, source_columns = self._tensors
        position = positions[rows, task]
        return (place(tiles, members[rows, position], source_rows[position], source_columns[position]) > 127).float()


class MultiMnist(Dataset):
    """The common part of all layouts.

    Attributes:
        name: the registered name.
        grid: the (row, column) of each digit, in the order of tasks, in units of the offset.
        offset: the layout's own, in pixels.
        canvas: the layout's own side, in pixels.
    """

    Options = MultiMnistOptions
    protocols: ClassVar = {
        "paper": TrainingProtocol(name="paper", epochs=100, batch=512, lr=1e-3, seeds=5),
        "quick": TrainingProtocol(name="quick", epochs=4, batch=64, images=12_000, seeds=3),
    }
    default_backbone = "lenet"
    input_shape = (1, SIDE, SIDE)
    foreground = True
    name: ClassVar[str]
    grid: ClassVar[tuple[tuple[int, int], ...]]
    offset: ClassVar[int]
    canvas: ClassVar[int]

    def __init__(self, options: MultiMnistOptions, root: Path) -> None:
        super().__init__(options, root)
        offset = options.offset or self.offset
        least = SIDE + offset * max(max(place) for place in self.grid)
        canvas = options.canvas or (self.canvas if offset == self.offset else least)
        if canvas < least:
            raise UsageError(
                f"dataset '{self.title}' has a canvas of {canvas} pixels, which does not hold its digits.",
                mend="Leave out the canvas, or make it larger.",
                allowed=f"With offset {offset} a canvas is at least {least}.",
            )
        self.layout = Layout(places=tuple((offset * row, offset * column) for row, column in self.grid), canvas=canvas)
        self._stem = f"mmnist{len(self.grid)}-offset{offset}-canvas{canvas}"

    @property
    def title(self) -> str:
        """The dataset as on the command line, e.g. ``mmnist4:offset=8``; a file by its path, where that is known."""
        given = differences(self.options).items()
        texts = {
            key: str(value.path or value) if isinstance(value, File) else render_value(value) for key, value in given
        }
        return ":".join([self.name, *(f"{key}={text}" for key, text in texts.items())])

    @property
    def parts(self) -> Mapping[str, tuple[str, Recipe]]:
        """The parts that splits are read from, each with the name of its cache and the recipe of its composites."""
        return {name: (name, part) for name, part in PARTS.items()}

    @abstractmethod
    def answers(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the answers to the tasks, from the labels (N, n) int64 of the digits.

        Returns:
            targets (N, T) int64, -1 where undefined; and (N, T) or (1, T) int64, which of the digits that is, or -1.
        """

    def prepare(self, say: Callable[[str], None]) -> None:
        mnist.prepare(self.root, say)
        halves = {half: mnist.load(self.root, half, self.title) for half in ("train", "t10k")}
        for name, (_, recipe) in self.parts.items():
            try:
                self._read(name)
            except DataError:
                say(f"{self.title}: composing {name}")
                self._write(name, recipe, halves[recipe.half])

    def verify(self) -> list[tuple[Path, str]]:
        checked = mnist.verify(self.root, self.title)
        for name in self.parts:
            self._read(name)
            checked.append((self._path(name), f"sha256:{sum_beside(self._path(name))}"))
        return checked

    def load(self, split: str, *, validation: bool) -> Split:
        name = self._part(split, validation)
        # The larger file first: the memory that its bytes leave is then enough for those of the other.
        composed = safetensors.torch.load(self._read(name))
        digits = mnist.load(self.root, self.parts[name][1].half, self.title)
        members = composed["members"]
        targets, positions = self.answers(digits.labels[members].long())
        return Split(
            inputs=composed["images"],
            targets=tuple(targets.T.contiguous()),
            defined=targets >= 0,
            mean=(0.1307,),
            std=(0.3081,),
            foreground=Foreground(digits.images, members, positions, self.layout),
            augment=(Shift(self.options.shift),) if split == "train" and self.options.shift else (),
        )

    def fingerprint_files(self) -> Sequence[Path]:
        return [file for name in self.parts for file in with_sum(self._path(name))]

    def fingerprint(self) -> str:
        sums = [sum_beside(self._path(name)) for name in self.parts]
        return hashlib.sha256(" ".join(sums).encode()).hexdigest() if all(sums) else ""

    def _part(self, split: str, validation: bool) -> str:
        check_split(self.title, split, validation=validation)
        return "train-without-val" if split == "train" and validation else split

    def _path(self, name: str) -> Path:
        return self.root / "mnist" / f"{self._stem}-{self.parts[name][0]}-v{RECIPE}.safetensors"

    def _read(self, name: str) -> bytes:
        return read_with_sum(self._path(name), self.title)

    def _write(self, name: str, recipe: Recipe, digits: mnist.Digits) -> None:
        """Compose a part. Two processes that do so at once write the same bytes, so neither harms the other."""
        members = recipe.members(len(digits.labels), len(self.grid))
        images = self.layout.compose(digits.images, members)[:, None]
        write_with_sum(self._path(name), safetensors.torch.save({"images": images, "members": members}))


class _DigitByPlace(MultiMnist):
    """A task for each place: which digit is there."""

    names: ClassVar[tuple[str, ...]]

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name=name, kind=Classification(classes=10)) for name in self.names)

    def answers(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        return labels, torch.arange(len(self.grid))[None]


@dataclass(frozen=True, kw_only=True)
class MultiMnist2Options(MultiMnistOptions):
    pairs: File | None = option(
        None, "a file with the right digit of each training image; the last 10,000 are left out"
    )
    pairs_val: File | None = option(None, "likewise of the validation images, which are of the last 10,000 digits")
    pairs_test: File | None = option(None, "likewise of the test images")


class MultiMnist2(_DigitByPlace):
    """Multi-MNIST with 2 digits: at the top left (LU) and the bottom right (RL).

    A published pairing, as that of arXiv:2505.10347, is read from files: ``pairs`` for training, ``pairs_val`` and
    ``pairs_test``, each with one index of MNIST per line, from 0, for the left digits in order. Where one is not given,
    the right digits are drawn as without it. With ``pairs`` the training split has 50,000 images with and without
    validation. With ``pairs`` or ``pairs_val`` the digits set aside for validation are the last 10,000.
    """

    Options = MultiMnist2Options
    name = "mmnist2"
    paper = SENER
    names = ("LU", "RL")
    grid = ((0, 0), (1, 1))
    offset = 6
    canvas = 36

    @property
    def parts(self) -> Mapping[str, tuple[str, Recipe]]:
        options: MultiMnist2Options = self.options
        return paired_parts(options.pairs, options.pairs_val, options.pairs_test)


class MultiMnist3(_DigitByPlace):
    """Multi-MNIST with 3 digits: at the top left (LU), bottom right (RL) and bottom left (LL)."""

    name = "mmnist3"
    paper = LEVI
    names = ("LU", "RL", "LL")
    grid = ((0, 0), (1, 1), (1, 0))
    offset = 6
    canvas = 36


class MultiMnist4(_DigitByPlace):
    """Multi-MNIST with 4 digits: top left (LU), bottom right (RL), bottom left (LL) and top right (RU)."""

    name = "mmnist4"
    paper = LEVI
    names = ("LU", "RL", "LL", "RU")
    grid = ((0, 0), (1, 1), (1, 0), (0, 1))
    offset = 12
    canvas = 40


class MultiMnist9(_DigitByPlace):
    """Multi-MNIST with 9 digits in a 3 x 3 grid, counted down its columns (1 to 9)."""

    name = "mmnist9"
    paper = LEVI
    names = tuple("123456789")
    grid = tuple((j % 3, j // 3) for j in range(9))
    offset = 12
    canvas = 52


class MultiMnist9ByReference(MultiMnist):
    """Multi-MNIST with 9 digits: which digit is right of the 0 (right0), ..., right of the 9 (right9)."""

    name = "mmnist9-ref"
    paper = LEVI
    protocols: ClassVar = {
        "paper": TrainingProtocol(name="paper", epochs=900, batch=512, lr=1e-3, seeds=5),
        "quick": MultiMnist.protocols["quick"],
    }
    grid = MultiMnist9.grid
    offset = MultiMnist9.offset
    canvas = MultiMnist9.canvas

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name=f"right{digit}", kind=Classification(classes=10)) for digit in range(10))

    def answers(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        return right_of(labels)


def right_of(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the neighbor to the right of each digit in 3 x 3 grids (official code of Levi & Ullman 2021).

    Task d is defined where digit d occurs exactly once, and not in the right column; its target is the label beside.

    Args:
        labels: (N, 9) int64, counted down the columns, so that the neighbor of position j is j + 3.

    Returns:
        targets and their positions, (N, 10) int64 each, -1 where undefined.
    """
    found = labels[:, :, None] == torch.arange(10)
    place = found.int().argmax(1)
    positions = torch.where((found.sum(1) == 1) & (place < 6), place + 3, -1)
    targets = torch.where(positions >= 0, labels.gather(1, positions.clamp(min=0)), -1)
    return targets, positions
