"""A difference between what is written and what the records say."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Finding"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sentence on a file.

    Attributes:
        path: the file.
        says: the sentence, without the name of the file.
        line: the line of the file, from 1; None where it is of the whole file.
        note: True if nothing is wrong.
    """

    path: Path
    says: str
    line: int | None = None
    note: bool = False

    def __str__(self) -> str:
        return f"{self.path}{'' if self.line is None else f':{self.line}'}: {self.says}"
