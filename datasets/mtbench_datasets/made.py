"""Datasets that are computed when they are loaded."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from mtbench.contract import Dataset, Split

from .splits import check_split

__all__ = ["Made"]


class Made(Dataset):
    """A dataset without files. Derive and give `sizes`, `make`, and `tasks` and `fingerprint` as of any dataset.

    Attributes:
        name: the registered name.
    """

    name: ClassVar[str]

    @abstractmethod
    def sizes(self, *, validation: bool) -> Mapping[str, int]:
        """Return the number of examples of each split."""

    @abstractmethod
    def make(self, split: str, *, validation: bool) -> Split:
        """Return one of the splits that `sizes` names."""

    def prepare(self, say: Callable[[str], None]) -> None:
        say(f"{self.name} is made when it is loaded, there is nothing to fetch")

    def verify(self) -> list[tuple[Path, str]]:
        return []

    def load(self, split: str, *, validation: bool) -> Split:
        check_split(self.name, split, validation=validation)
        return self.make(split, validation=validation)
