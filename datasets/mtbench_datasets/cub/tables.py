"""The text files of CUB-200-2011: lines of fields with spaces between them; errors name the file and the line."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtbench.errors import DataError

from .lookalikes import describe

__all__ = ["LAYOUT", "Table", "is_file"]

LAYOUT = (
    "CUB-200-2011 is a folder with images.txt, train_test_split.txt, image_class_labels.txt, classes.txt, "
    "parts/parts.txt, parts/part_locs.txt, attributes/image_attribute_labels.txt, "
    "attributes/class_attribute_labels_continuous.txt, attributes/certainties.txt, attributes.txt in it, beside it or "
    "in attributes/, and images/001.Black_footed_Albatross/ ..."
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """One of the text files.

    Attributes:
        path: the file.
        folder: the folder of the dataset.
        help: a sentence on where to get the dataset.
    """

    path: Path
    folder: Path
    help: str

    def fault(self, given: str, expected: str = "") -> DataError:
        """Return an error about the file, which says what the folder is instead, if that is known."""
        return DataError(given, mend=describe(self.folder) or expected, allowed=LAYOUT, where=self.help)

    def wrong_line(self, number: int, reason: str) -> DataError:
        """Return an error about a line, counted from 1."""
        return self.fault(f"line {number:,} of {self.path}: {reason}.")

    def wrong_row(self, row: int, reason: str) -> DataError:
        """Return an error about a row of `columns`."""
        lines = (number for number, _ in self.lines())
        return self.wrong_line(next(number for index, number in enumerate(lines) if index == row), reason)

    def check(self) -> None:
        """Raise DataError if the file is missing or cannot be opened."""
        with self._reading():
            self.path.open("rb").close()

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Return the fields of each line that is not blank, and its number, counted from 1.

        Raises:
            DataError: the file is missing or cannot be read.
        """
        with self._reading(), self.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                if fields := line.split():
                    yield number, fields

    def numbered(self, what: str) -> list[str]:
        """Return the texts of lines such as ``2 beak``, in the order of their numbers, which are 1, 2, 3 and so on.

        Args:
            what: a noun for each numbered thing, for errors.

        Raises:
            DataError: the file is missing, has no lines, or a number is missing, repeated or none.
        """
        found: dict[int, str] = {}
        number = 0
        for number, fields in self.lines():
            index = _whole(fields[0])
            if not index or len(fields) < 2:
                raise self.wrong_line(number, f"{' '.join(fields)!r} is not the number of {what} and a text")
            if index in found:
                raise self.wrong_line(number, f"{what} {index} is there already")
            found[index] = " ".join(fields[1:])
        missing = next(index for index in range(1, len(found) + 2) if index not in found)
        if missing <= len(found) or not found:
            raise self.fault(f"{self.path} of {number:,} lines has none for {what} {missing}.")
        return [found[index] for index in range(1, len(found) + 1)]

    def numbers(self, what: str, count: int, where: Path, *, choices: range, meant: str) -> list[int]:
        """Return the whole numbers of lines such as ``2 1``, read as `counted` reads them.

        Args:
            choices: the numbers that are allowed.
            meant: their meaning, for errors.
        """
        values = []
        for index, text in enumerate(self.counted(what, count, where), start=1):
            value = _whole(text)
            if value is None or value not in choices:
                number = next(number for number, fields in self.lines() if _whole(fields[0]) == index)
                raise self.wrong_line(
                    number, f"{text!r} is not {meant}, a whole number from {choices[0]} to {choices[-1]:,}"
                )
            values.append(value)
        return values

    def counted(self, what: str, count: int, where: Path | None = None) -> list[str]:
        """Return the texts as `numbered` does, and refuse another number of them than `count`.

        Args:
            where: the file that says how many there are; None where it is always so many.
        """
        texts = self.numbered(what)
        if len(texts) != count:
            others = f"and {where} has {count:,}" if where else f"and CUB-200-2011 has {count:,}"
            raise self.fault(f"{self.path} ends with {what} {len(texts):,}, {others}.")
        return texts

    def columns(self, kinds: Sequence[type], what: str) -> NDArray[Any]:
        """Return the first fields of each line that is not blank as numbers (rows, fields), fast; others are left out.

        Args:
            kinds: int or float, for each field; where one of them is float the array is float64, else int32.
            what: the subject of a line, for errors.

        Raises:
            DataError: the file is missing, or a line has fewer fields or others.
        """
        dtype = np.float64 if float in kinds else np.int32
        with self._reading(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="loadtxt: input contained no data")
            try:
                # With columns named it does not mind that lines are of unequal lengths.
                return np.loadtxt(
                    self.path, dtype, comments=None, usecols=range(len(kinds)), ndmin=2, encoding="latin-1"
                ).reshape(-1, len(kinds))
            except ValueError as cause:
                raise self._first_unfit(kinds, what, cause) from None

    def _first_unfit(self, kinds: Sequence[type], what: str, cause: ValueError) -> DataError:
        """Return an error about the first line that `columns` cannot read."""
        for number, fields in self.lines():
            if len(fields) < len(kinds):
                return self.wrong_line(number, f"it has {len(fields)} fields, and {what} has at least {len(kinds)}")
            for kind, text in zip(kinds, fields, strict=False):
                try:
                    fits = "_" not in text and (kind is float or abs(int(text)) < 2**31)
                    float(text)
                except ValueError:
                    fits = False
                if not fits:
                    return self.wrong_line(number, f"{text!r} is no {'whole ' if kind is int else ''}number")
        return self.fault(f"{self.path} cannot be read: {cause}.")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn an OSError within the block into a DataError that names the file."""
        try:
            yield
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise self.fault(f"{self.path} is missing.") from None
        except OSError as cause:
            raise self.fault(f"{self.path} cannot be read: {cause.strerror}.") from None


def is_file(path: Path) -> bool:
    """Return True if a file exists; False for a folder without permission, for which Path.is_file raises."""
    return os.path.isfile(path)


def _whole(text: str) -> int | None:
    """Return the number that a text of one to nine digits is; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
