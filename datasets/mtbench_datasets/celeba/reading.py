"""The files of CelebA, read in any of their layouts and checked; files that only look like them are refused.

Shapes: N images, A = 40 attributes.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from mtbench.errors import DataError, shortlist

from ..worlds import MANIFEST
from .annotations import PARTS, Annotations
from .lookalikes import describe
from .vocabulary import NAMES

__all__ = ["SIZE", "SPLITS", "Folder"]

SPLITS: Final = {"train": 162_770, "val": 19_867, "test": 19_962}
"""Numbers of images, which are in this order in the files, as released: 202,599."""
SIZE: Final = (218, 178)
"""Height and width of the aligned images in pixels."""
SUMS: Final = {
    "attributes": "75e246fa4810816ffd6ee81facbd244c",
    "partition": "d32c9cbf5e040fd4025c592c306e6668",
}
"""MD5 of the released text files."""
LISTS: Final = {"attributes": "list_attr_celeba", "partition": "list_eval_partition"}
FOLDERS: Final = {"attributes": ("", "Anno"), "partition": ("", "Eval", "Anno")}
PICTURES: Final = tuple(
    f"{folder}{name}"
    for folder in ("", "Img/")
    for name in ("img_align_celeba", "img_align_celeba/img_align_celeba", "img_align_celeba_png")
)
"""Folders in which the aligned images may lie; the second is that of a mirror's archive."""
LAYOUT: Final = (
    "CelebA is a folder with list_attr_celeba.txt, list_eval_partition.txt and img_align_celeba/000001.jpg ..., or "
    "with Anno/, Eval/ and Img/ that have them; pictures may be PNG files, and lists CSV files."
)


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder with CelebA, or with another world in its format.

    Attributes:
        path: the folder.
        help: a sentence on where to get the dataset.
    """

    path: Path
    help: str

    @cached_property
    def files(self) -> dict[str, Path]:
        """The two lists that are read; of each the first one that exists."""
        found = {}
        for key, stem in LISTS.items():
            paths = [self.path / folder / f"{stem}.{end}" for end in ("txt", "csv") for folder in FOLDERS[key]]
            found[key] = next((path for path in paths if os.path.isfile(path)), paths[0])
        return found

    @cached_property
    def size(self) -> tuple[int, int]:
        """Height and width of the images: as released, or of a world as its manifest says.

        Raises:
            DataError: the manifest cannot be read.
        """
        path = self.path / MANIFEST
        if not self.is_world:
            return SIZE
        try:
            width, height = json.loads(path.read_text(encoding="utf-8"))["size"]
            return int(height), int(width)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            raise DataError(
                f"{path} has no size of the pictures.", allowed='Expected: {"size": [width, height], ...}.'
            ) from None

    @property
    def is_world(self) -> bool:
        """True if the folder says that it is another world in CelebA's format."""
        return os.path.isfile(self.path / MANIFEST)

    def pictures(self, count: int) -> list[Path]:
        """Return the paths of the images, which need not exist: all in the first folder that has the first of them.

        If that folder has no JPEG files, PNG files of the same names are searched.
        """
        ways = [(self.path / folder, end) for folder in PICTURES for end in ("jpg", "png")]
        folder, end = next((way for way in ways if os.path.isfile(way[0] / f"000001.{way[1]}")), ways[0])
        return [folder / f"{number:06d}.{end}" for number in range(1, count + 1)]

    def check(self) -> None:
        """Refuse a folder that lacks a list, or has other attributes, or no first picture.

        Raises:
            DataError: it is not CelebA; the text names the file, and the actual contents, if known.
        """
        for key in self.files:
            next(self._lines(key), None)
        self._names(self._lines("attributes"))
        first = self.pictures(1)[0]
        if not os.path.isfile(first):
            raise self._missing(first)

    def read(self) -> Annotations:
        """Return the annotations of all images.

        Raises:
            DataError: a list is missing, truncated, altered or not one of CelebA; the text names the file and the line.
        """
        attributes, part = self._attributes(), self._partition()
        if len(part) != len(attributes):
            raise self._fault(
                f"{self.files['partition']} has {len(part):,} images, and {self.files['attributes']} has "
                f"{len(attributes):,}.",
                "One of them is truncated, half copied or of another dataset.",
            )
        return Annotations(
            attributes=torch.from_numpy(attributes), part=torch.from_numpy(part), remarks=self._remarks()
        )

    def _attributes(self) -> NDArray[np.bool_]:
        """Return the attributes (N, A) of list_attr_celeba.txt."""
        path, lines = self.files["attributes"], self._lines("attributes")
        stated = self._names(lines)
        rows: list[bytes] = []
        for number, fields in lines:
            self._expect_image(path, number, fields[0], len(rows) + 1)
            values = fields[1:]
            if len(values) != len(NAMES):
                raise self._wrong_line(path, number, f"it has {len(values)} values for {len(NAMES)} attributes")
            rows.append(bytes(_VALUES.get(value, 2) for value in values))
            if 2 in rows[-1]:
                place = rows[-1].index(2)
                raise self._wrong_line(path, number, f"{NAMES[place]} is {values[place]!r}, and not 1 or -1")
        if stated is not None and stated != len(rows):
            raise self._fault(
                f"line 1 of {path} says that there are {stated:,} images, and {len(rows):,} follow.",
                "It is truncated, half copied or damaged.",
            )
        self._expect_count(path, len(rows))
        return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, len(NAMES)).astype(np.bool_)

    def _names(self, lines: Iterator[tuple[int, list[str]]]) -> int | None:
        """Read the lines before the first image: return the number of images, None if the file is a CSV file.

        Raises:
            DataError: it is no number, or the names of attributes are not those of CelebA, in their order.
        """
        path, stated = self.files["attributes"], None
        number, fields = next(lines, (1, [""]))
        if path.suffix == ".csv":
            fields = fields[1:]  # image_id
        else:
            if len(fields) != 1 or not fields[0].isdecimal():
                raise self._wrong_line(path, number, f"{' '.join(fields)[:60]!r} is not the number of images")
            stated = int(fields[0])
            number, fields = next(lines, (number + 1, []))
        if fields == list(NAMES):
            return stated
        missing = [name for name in NAMES if name not in fields]
        others = [name for name in fields if name not in NAMES]
        if missing:
            reason = f"there is no attribute {shortlist(missing, 3)}"
        elif others:
            reason = f"there is no attribute {shortlist(others, 3)} in CelebA"
        else:
            place = next((index for index, name in enumerate(NAMES) if fields[index] != name), len(NAMES))
            reason = f"attribute {place + 1} is {fields[place]}" + (
                f", and not {NAMES[place]}" if place < len(NAMES) else ", and CelebA has 40"
            )
        raise self._wrong_line(path, number, f"{reason}; {len(fields)} names are given")

    def _partition(self) -> NDArray[np.uint8]:
        """Return the parts (N,) of list_eval_partition.txt."""
        path, lines = self.files["partition"], self._lines("partition")
        if path.suffix == ".csv":
            next(lines, None)
        found = bytearray()
        for number, fields in lines:
            self._expect_image(path, number, fields[0], len(found) + 1)
            if len(fields) != 2 or fields[1] not in ("0", "1", "2"):
                raise self._wrong_line(
                    path, number, f"{' '.join(fields[1:])!r} is not 0 to train, 1 to validate or 2 to test"
                )
            if not self.is_world and (expected := _official(len(found))) != int(fields[1]):
                raise self._wrong_line(
                    path, number, f"{fields[0]} is in part {fields[1]}, and in CelebA it is in part {expected}"
                )
            found.append(int(fields[1]))
        self._expect_count(path, len(found))
        return np.frombuffer(bytes(found), np.uint8).copy()

    def _expect_image(self, path: Path, number: int, name: str, index: int) -> None:
        """Refuse an image that is not the next one: they are 000001.jpg, 000002.jpg and so on, in both lists."""
        if name not in (f"{index:06d}.jpg", f"{index:06d}.png"):
            raise self._wrong_line(path, number, f"{name} stands where {index:06d}.jpg is to be")

    def _expect_count(self, path: Path, count: int) -> None:
        if not count:
            raise self._fault(f"{path} has no images.")
        if count != sum(SPLITS.values()) and not self.is_world:
            raise self._fault(
                f"{path} has {count:,} images, and CelebA has {sum(SPLITS.values()):,}.",
                f"A smaller world in the same format has a file {MANIFEST} in its folder.",
            )

    def _remarks(self) -> tuple[str, ...]:
        """Return sentences on lists that are not the released ones to the byte; of a world there are none."""
        remarks = []
        for key, path in self.files.items():
            if self.is_world:
                continue
            if path.suffix == ".csv":
                remarks.append(f"{path.name} is read; it is the CSV twin of the released list, with the same content")
            elif hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != SUMS[key]:
                remarks.append(
                    f"{path.name} is of another mirror: its MD5 is not the released {SUMS[key]}, while counts, names "
                    "and order are right"
                )
        return tuple(remarks)

    def _lines(self, key: str) -> Iterator[tuple[int, list[str]]]:
        """Yield the number, counted from 1, and the fields of each line of a list that is not blank.

        Raises:
            DataError: the file is missing or cannot be read.
        """
        path = self.files[key]
        mark = "," if path.suffix == ".csv" else None
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as file:
                for number, line in enumerate(file, start=1):
                    if (fields := line.strip().split(mark)) and fields != [""]:
                        yield number, fields
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise self._missing(path) from None
        except OSError as cause:
            raise self._fault(f"{path} cannot be read: {cause.strerror}.") from None

    def _wrong_line(self, path: Path, number: int, reason: str) -> DataError:
        return self._fault(f"line {number:,} of {path}: {reason}.")

    def _missing(self, path: Path) -> DataError:
        """Return an error that says what the folder is instead, if that is known."""
        return self._fault(f"{path} is missing.", describe(self.path))

    def _fault(self, given: str, mend: str = "") -> DataError:
        return DataError(given, mend=mend, allowed=LAYOUT, where=self.help)


_VALUES = {"1": 1, "-1": 0}


def _official(index: int) -> int:
    """Return the part that an image, counted from 0, is in as released."""
    bound = 0
    for part, count in enumerate(SPLITS.values()):
        bound += count
        if index < bound:
            return part
    return len(PARTS) - 1
