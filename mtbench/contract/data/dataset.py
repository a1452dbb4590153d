"""Datasets: sources of examples, which they offer as splits, stored as tensors on the device that trains."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from mtbench.contract.data.convention import PeerConvention
from mtbench.contract.data.links import linked_folder
from mtbench.contract.data.split import Split
from mtbench.contract.options import NoOptions
from mtbench.contract.protocol import TrainingProtocol
from mtbench.contract.tasks.task import Task

__all__ = ["Dataset"]


class Dataset(ABC):
    """A named source of splits, with its tasks and the training protocols under which methods are compared on it.

    A subclass defines the class attributes, and `prepare`, `verify`, `load` and `fingerprint`. The first line of its
    docstring is its summary in ``mtbench list``.

    Attributes:
        Options: the options class.
        protocols: training protocols by name; ``paper`` is the default and ``quick`` a preview in a minute or two.
        default_backbone: the backbone of methods that name none, as written on the command line.
        input_shape: the shape of one input, (C, H, W).
        foreground: True if its splits know the place of each task's object.
        points: True if its splits have `Split.points`; an attribute of the instance where options decide.
        paper: the paper that introduces it.
        source: the name of its original files, where a user may have them already; several datasets can have the same
            one. ``mtbench data link SOURCE FOLDER`` sets their folder. Empty if all files are made here.
        conventions: rules of published code for its numbers on the dataset, by name. Means of the test metrics over the
            batches that they name are kept in each record, for the points of the curve, so that ``mtbench report
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
        """Args: `options` is an instance of `Options`; `root` is the folder of the data files."""
        self.options = options
        self.root = root

    @property
    def folder(self) -> Path:
        """The folder of the files of `source`: the linked one, else the folder of its name in the data root.

        Raises:
            DataError: the file of links is damaged.
        """
        return linked_folder(self.root, self.source) or self.root / self.source

    @classmethod  # noqa: B027
    def check_folder(cls, folder: Path) -> None:
        """Check quickly that a folder contains `source`; called before it is linked.

        Raises:
            DataError: it contains something else; the text says what is expected and where it can be obtained.
        """

    @property
    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks, in the order that tables show; their kinds must agree on `Kind.order`."""

    @abstractmethod
    def prepare(self, say: Callable[[str], None]) -> None:
        """Fetch or make the files that `load` needs, repair damaged ones, and report each step in a line to `say`.

        Raises:
            DataError: they cannot be obtained; the text names each source that was tried and why it failed.
        """

    @abstractmethod
    def verify(self) -> list[tuple[Path, str]]:
        """Check every file against its sum and return the files with their sums.

        Raises:
            DataError: a file is missing, truncated or altered; the text names the file, the expected and the found sum
                and the command that repairs it.
        """

    @abstractmethod
    def load(self, split: str, *, validation: bool) -> Split:
        """Return one split, on the CPU.

        Args:
            split: ``train``, ``val`` or ``test``.
            validation: True if a validation split is held out of the training split; otherwise there is no ``val``.

        Raises:
            DataError: see `verify`.
        """

    def labels(self, split: str, *, validation: bool) -> Split:
        """Return one split like `load`, whose inputs may be left out: tensors (N, 0).

        For readers of labels alone. A dataset whose labels are stored apart from its inputs overrides it, so that
        labels can be read where the inputs are missing.

        Raises:
            DataError: see `load`.
        """
        return self.load(split, validation=validation)

    def marks(self, split: str, count: int) -> Tensor | None:  # noqa: ARG002
        """Return points (count, K, 2), x and y in pixels, to mark in the first images of a split for readers of pages.

        Entries are NaN for an image with fewer points. None if there is nothing to mark.
        """
        return None

    def fingerprint_files(self) -> Sequence[Path] | None:
        """Return the files that `fingerprint` depends on, existing or not; None if they are unknown, as by default.

        As long as none of them changes, commands that only read results do not compute the fingerprint again, for which
        they would import the dataset's module, and torch with it.
        """
        return None

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a hash of the data, equal wherever the data are equal; empty if they are not on this machine."""
