"""Where examples come from: a dataset offers splits, held as tensors on the device that trains.

Shapes: M inputs in a split, N examples, T tasks, V inputs per example (M = N and V = 1 unless said otherwise).
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from mtbench.contract.options import NoOptions
from mtbench.contract.protocol import TrainingProtocol
from mtbench.contract.task import Task

__all__ = ["Batch", "Dataset", "Inputs", "Split"]

Inputs: TypeAlias = Tensor | Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one step sees.

    Attributes:
        inputs: float tensors (B * V, ...), normalized; a tensor or a mapping of tensors.
        targets: per task a tensor (B, ...).
        use: (T, B) bool, the labels this step may use: those defined and, if `drawn`, of the drawn task.
        drawn: (B,) int64, the one task drawn for each example, or None if every task of each example is used.
        inputs_per_example: V, the number of inputs that make up one example.
        rows: (B,) int64, which examples of the split these are.
        foreground: see `Split.foreground`.
    """

    inputs: Inputs
    targets: tuple[Tensor, ...]
    use: Tensor
    drawn: Tensor | None
    inputs_per_example: int
    rows: Tensor
    foreground: Callable[[Tensor, int], Tensor] | None


@dataclass(frozen=True, kw_only=True)
class Split:
    """A part of a dataset in memory.

    Attributes:
        inputs: (M, ...), uint8 images (M, C, H, W) or float tensors; a tensor or a mapping of tensors.
        targets: per task a tensor (N, ...), in the form that the task's kind defines.
        defined: (N, T) bool, which targets are defined.
        mean: per channel, of images scaled to [0, 1]; uint8 inputs are normalized with it.
        std: likewise.
        members: (N, V) int64, the indices of the inputs that make up each example; None if example i is input i.
        foreground: from rows (B,) and a task's index to float maps (B, H, W) in {0, 1} of where the task's object is;
            None where a dataset knows of none.
    """

    inputs: Inputs
    targets: tuple[Tensor, ...]
    defined: Tensor
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    members: Tensor | None = None
    foreground: Callable[[Tensor, int], Tensor] | None = None

    def __len__(self) -> int:
        return len(self.defined)

    def first(self, count: int) -> "Split":
        """The first `count` examples; all of them if there are fewer."""
        if self.members is not None:
            kept = dataclasses.replace(self, members=self.members[:count])
        elif isinstance(self.inputs, Tensor):
            kept = dataclasses.replace(self, inputs=self.inputs[:count])
        else:
            kept = dataclasses.replace(self, inputs={name: value[:count] for name, value in self.inputs.items()})
        targets = tuple(target[:count] for target in self.targets)
        return dataclasses.replace(kept, targets=targets, defined=self.defined[:count])

    def to(self, device: torch.device) -> "Split":
        """The same split with its tensors on a device."""
        return dataclasses.replace(
            self,
            inputs=_each(self.inputs, lambda tensor: tensor.to(device)),
            targets=tuple(target.to(device) for target in self.targets),
            defined=self.defined.to(device),
            members=None if self.members is None else self.members.to(device),
        )

    def batch(self, rows: Tensor, drawn: Tensor | None = None) -> Batch:
        """Gather and normalize the examples `rows` (B,); with `drawn` (B,) only one task's label of each is used."""
        use = self.defined[rows].T
        if drawn is not None:
            use = use & (drawn == torch.arange(len(self.targets), device=drawn.device)[:, None])
        inputs = rows if self.members is None else self.members[rows].flatten()
        return Batch(
            inputs=_each(self.inputs, lambda tensor: self._normalized(tensor[inputs])),
            targets=tuple(target[rows] for target in self.targets),
            use=use,
            drawn=drawn,
            inputs_per_example=1 if self.members is None else self.members.shape[1],
            rows=rows,
            foreground=self.foreground,
        )

    def _normalized(self, images: Tensor) -> Tensor:
        if images.dtype != torch.uint8:
            return images
        shape = (1, -1, 1, 1)
        std = torch.tensor(self.std, device=images.device).view(shape)
        mean = torch.tensor(self.mean, device=images.device).view(shape)
        images = images.to(torch.float32, memory_format=torch.channels_last)
        return images.mul_(1 / (255 * std)).sub_(mean / std)


class Dataset(ABC):
    """A named source of splits, with its tasks and the protocols under which methods are compared on it.

    A subclass gives the class attributes, and `prepare`, `verify`, `load` and `fingerprint`. Its docstring's first line
    is its summary in ``mtbench list``.

    Attributes:
        Options: its options class.
        protocols: by name; ``paper`` is the default and ``quick`` a look in a minute or two.
        default_backbone: the backbone of methods that name none, as written on the command line.
        input_shape: of one input, (C, H, W).
        foreground: whether its splits know where each task's object is.
        paper: where it comes from.
    """

    Options: ClassVar[type[Any]] = NoOptions
    protocols: ClassVar[Mapping[str, TrainingProtocol]]
    default_backbone: ClassVar[str]
    input_shape: ClassVar[tuple[int, ...]]
    foreground: ClassVar[bool] = False
    paper: ClassVar[str] = ""

    def __init__(self, options: Any, root: Path) -> None:
        """Args: `options` is an instance of `Options`; `root` is the folder that data files live in."""
        self.options = options
        self.root = root

    @property
    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """What can be learned from it, in the order that tables show; their kinds must agree on `Kind.order`."""

    @abstractmethod
    def prepare(self, say: Callable[[str], None]) -> None:
        """Fetch or make what `load` needs, mend what is damaged, and `say` in a line what is being done.

        Raises:
            DataError: it cannot be had; the text names each source that was tried and why it failed.
        """

    @abstractmethod
    def verify(self) -> list[tuple[Path, str]]:
        """Check every file against its sum; returns them as (file, sum).

        Raises:
            DataError: a file is missing, truncated or altered; the text names the file, the expected and the found sum
                and the command that mends it.
        """

    @abstractmethod
    def load(self, split: str, *, validation: bool) -> Split:
        """One split, on the CPU.

        Args:
            split: ``train``, ``val`` or ``test``.
            validation: whether a validation split is held out of the training split; without one there is no ``val``.

        Raises:
            DataError: as `verify`.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of the data themselves, equal wherever they are equal; empty if they are not on this machine."""


def _each(inputs: Inputs, change: Callable[[Tensor], Tensor]) -> Inputs:
    return change(inputs) if isinstance(inputs, Tensor) else {name: change(value) for name, value in inputs.items()}
