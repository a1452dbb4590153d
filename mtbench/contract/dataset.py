"""Datasets: sources of examples, which they offer as splits, held as tensors on the device that trains."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from mtbench.contract.convention import PeerConvention
from mtbench.contract.links import linked_folder
from mtbench.contract.options import NoOptions
from mtbench.contract.protocol import TrainingProtocol
from mtbench.contract.split import Split
from mtbench.contract.task import Task

__all__ = ["Dataset"]


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
        points: True if its splits have `Split.points`; an attribute of the instance where options decide.
        paper: where it comes from.
        source: the name of the files that it is made of, where a person may have them already; several datasets can
            share one. ``mtbench data link SOURCE FOLDER`` says where they lie. Empty where all files are made here.
        conventions: by name, rules of published code for its numbers on the dataset. Of the batches that they name the
            means of the test metrics are kept in each record, for the points of the curve, so that ``mtbench report
            --convention NAME`` can compute such numbers. They change no other number, and make no run stale.
    """

    Options: ClassVar[type[Any]] = NoOptions
    protocols: ClassVar[Mapping[str, TrainingProtocol]]
    default_backbone: ClassVar[str]
    input_shape: ClassVar[tuple[int, ...]]
    foreground: ClassVar[bool] = False
    points: ClassVar[bool] = False
    paper: ClassVar[str] = ""
    source: ClassVar[str] = ""
    conventions: ClassVar[Mapping[str, PeerConvention]] = {}

    def __init__(self, options: Any, root: Path) -> None:
        """Args: `options` is an instance of `Options`; `root` is the folder that data files live in."""
        self.options = options
        self.root = root

    @property
    def folder(self) -> Path:
        """The folder of the files of `source`: the one that is linked, else that of its name in the data root.

        Raises:
            DataError: the file of links is damaged.
        """
        return linked_folder(self.root, self.source) or self.root / self.source

    @classmethod  # noqa: B027
    def check_folder(cls, folder: Path) -> None:
        """Check quickly whether what lies in a folder is `source`; called before it is linked.

        Raises:
            DataError: it is something else; the text says what is expected and where it can be had.
        """

    @property
    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks, in the order that tables show; their kinds must agree on `Kind.order`."""

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
        """Return one split, on the CPU.

        Args:
            split: ``train``, ``val`` or ``test``.
            validation: whether a validation split is held out of the training split; without one there is no ``val``.

        Raises:
            DataError: as `verify`.
        """

    def labels(self, split: str, *, validation: bool) -> Split:
        """Return one split as `load` gives it, whose inputs may be left out: tensors (N, 0).

        For what looks at labels alone. A dataset whose labels lie apart from its inputs overrides it, so that they can
        be looked at where the inputs are missing.

        Raises:
            DataError: as `load`.
        """
        return self.load(split, validation=validation)

    def marks(self, split: str, count: int) -> Tensor | None:  # noqa: ARG002
        """Return points (count, K, 2), x and y in pixels, to mark in the first images of a split, NaN where there are
        fewer; None if there is nothing to mark. For pages that people look at."""
        return None

    def fingerprint_files(self) -> Sequence[Path] | None:
        """Return the files that `fingerprint` depends on, whether they are there or not; None if they are not known, as
        by default.

        While none of them has changed, commands that only read results need not ask for the fingerprint again, for
        which they would import the dataset's module, and torch with it.
        """
        return None

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a hash of the data themselves, equal wherever they are equal; empty if they are not on this
        machine."""
