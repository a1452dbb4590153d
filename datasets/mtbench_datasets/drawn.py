"""The common part of datasets that are drawn here, in the format of one whose files are had elsewhere."""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from mtbench.contract import Dataset
from mtbench.errors import DataError

from .splits import title

__all__ = ["Drawn"]

SEED = 0


class Drawn(Dataset):
    """A world in the data root: `prepare` draws it, and the next of the bases reads it.

    Attributes:
        name: the registered name.
        world: the name of the folder of the world; where its numbers are not the usual ones, they follow.
        numbers: the options that say how many are drawn of what.
        help: a sentence on where to get the files, for errors.
    """

    name: ClassVar[str]
    world: ClassVar[str]
    numbers: ClassVar[tuple[str, ...]] = ("train", "test")
    help: ClassVar[str]

    def __init__(self, options: Any, root: Path) -> None:
        super().__init__(options, root)
        self.help = f"{self._command} makes it."  # type: ignore[misc]

    @abstractmethod
    def draw(self, folder: Path, seed: int, say: Callable[[str], None]) -> None:
        """Write the world into a folder, unless it is complete."""

    @staticmethod
    @abstractmethod
    def find_faults(folder: Path) -> list[tuple[Path, str]]:
        """Return the faults of a world, as pairs of a file and a remark; an empty list if it is complete."""

    @property
    def stem(self) -> str:
        """The beginning of the names of its files below the data root."""
        usual, these = ([getattr(options, key) for key in self.numbers] for options in (self.Options(), self.options))
        return self.world if these == usual else "-".join([self.world, *map(str, these)])

    @property
    def folder(self) -> Path:
        return self.root / self.stem

    def prepare(self, say: Callable[[str], None]) -> None:
        self.draw(self.folder, SEED, say)
        super().prepare(say)  # type: ignore[safe-super]

    def verify(self) -> list[tuple[Path, str]]:
        for path, remark in self.find_faults(self.folder):
            raise DataError(f"{path} {remark}.", mend=f"{self._command} mends it.")
        return super().verify()  # type: ignore[safe-super]

    @property
    def _command(self) -> str:
        return f"`mtbench data prepare {title(self.name, self.options)}`"
