"""The files of CUB-200-2011, read as released and checked; files that only look like them are refused.

Shapes: N images, S species, G groups of C colors, P parts, A = 312 attributes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from mtbench.errors import shortlist

from ..worlds import MANIFEST
from .annotations import Annotations
from .lookalikes import NABIRDS
from .tables import Table, is_file
from .vocabulary import ATTRIBUTES, COLORS, GROUPS, PARTS, Certainty

__all__ = ["IMAGES", "SPECIES", "TRAINING", "Folder"]

IMAGES, TRAINING, SPECIES = 11_788, 5_994, 200
"""Numbers of images, of those to train on, and of classes, as released."""
LABELS: Final = "attributes/image_attribute_labels.txt"
CLEAN: Final = "attributes/image_attribute_labels_clean.txt"
FIELDS = 5
"""Fields of a line of `LABELS`: image, attribute, is present, certainty, seconds that it took."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder with CUB-200-2011, or with another world in its format.

    Attributes:
        path: the folder.
        help: a sentence on where to get the dataset.
    """

    path: Path
    help: str

    def picture(self, name: str) -> Path:
        """Return the picture at a path below ``images``."""
        return self.path / "images" / name

    @property
    def files(self) -> dict[str, Path]:
        """The files that are read, by their content; for a file with several possible places the existing one."""
        beside = ("attributes/attributes.txt", "attributes.txt", "../attributes.txt")
        return {
            "parts": self.path / "parts/parts.txt",
            "classes": self.path / "classes.txt",
            "images": self.path / "images.txt",
            "split": self.path / "train_test_split.txt",
            "class labels": self.path / "image_class_labels.txt",
            "points": self.path / "parts/part_locs.txt",
            "certainties": self.path / "attributes/certainties.txt",
            "attributes": self._first(*beside),
            "labels": self._first(LABELS, CLEAN),
            "percentages": self.path / "attributes/class_attribute_labels_continuous.txt",
        }

    def check(self) -> None:
        """Refuse a folder that lacks a file, or has other parts or another number of classes.

        Raises:
            DataError: it is not CUB-200-2011; the text names the file, and the actual contents, if known.
        """
        for name in self.files:
            self._table(name).check()
        self._parts()
        self._species()

    def read(self) -> Annotations:
        """Return the annotations of all images.

        Rows may stand in any order. Of image_attribute_labels.txt the first four fields of a line are read, whatever
        follows; where it is missing, image_attribute_labels_clean.txt is read.

        Raises:
            DataError: a file is missing, truncated, altered or not one of CUB-200-2011; the text names the first file
                that is wrong, and the line.
        """
        self.check()
        parts, species = self._parts(), self._species()
        images = self._pictures()
        of = ("image", len(images), self.files["images"])
        split = self._table("split").numbers(*of, choices=range(2), meant="1 for training or 0 for test")
        self._expect("split", sum(split), TRAINING, "images to train on")
        known = range(1, len(species) + 1)
        classes = self._table("class labels").numbers(*of, choices=known, meant=f"of {self.files['classes']}")
        places = self._places(parts, len(images))
        self._certainties()
        attributes = self._attributes()
        votes, remarks = self._votes(attributes, len(images))
        return Annotations(
            votes=torch.from_numpy(votes),
            percentages=torch.from_numpy(_grouped(self._percentages(len(species)), attributes)),
            species=torch.tensor(classes) - 1,
            training=torch.tensor(split, dtype=torch.bool),
            places=torch.from_numpy(places),
            names=tuple(images),
            remarks=remarks,
        )

    def _first(self, *names: str) -> Path:
        """Return the first of some files that exists; the first name if none does."""
        paths = [self.path / name if not name.startswith("..") else self.path.parent / name[3:] for name in names]
        return next(filter(is_file, paths), paths[0])

    def _table(self, name: str) -> Table:
        return Table(path=self.files[name], folder=self.path, help=self.help)

    @property
    def _is_world(self) -> bool:
        return is_file(self.path / MANIFEST)

    def _expect(self, name: str, found: int, official: int, what: str) -> None:
        """Refuse a number that differs from the official one, except in a world."""
        if found != official and not self._is_world:
            raise self._table(name).fault(
                f"{self.files[name]} has {found:,} {what}, and CUB-200-2011 has {official:,}.",
                f"A smaller world in the same format has a file {MANIFEST} in its folder.",
            )

    def _pictures(self) -> list[str]:
        """Return the paths of the pictures, each once."""
        table = self._table("images")
        found = table.numbered("image")
        self._expect("images", len(found), IMAGES, "images")
        if len(set(found)) < len(found):
            first: dict[str, int] = {}
            for number, fields in table.lines():
                path = " ".join(fields[1:])
                if path in first:
                    raise table.wrong_line(number, f"{path} is image {first[path]} already")
                first[path] = int(fields[0])
        return found

    def _parts(self) -> list[str]:
        """Return the parts in the order of their numbers: those of `PARTS`, in any order."""
        table = self._table("parts")
        found = table.numbered("part")
        if sorted(found) != sorted(PARTS):
            other = next((f" Of CUB's there is no {part}." for part in PARTS if part not in found), "")
            raise table.fault(
                f"{table.path} has {len(found)} parts, and CUB-200-2011 has {len(PARTS)}.{other}",
                NABIRDS if len(found) == 11 else "",
            )
        return found

    def _species(self) -> list[str]:
        found = self._table("classes").numbered("class")
        self._expect("classes", len(found), SPECIES, "classes")
        return found

    def _certainties(self) -> None:
        """Refuse levels of certainty that differ from those of `Certainty` in number or name."""
        table = self._table("certainties")
        found = [text.replace("_", " ").lower() for text in table.numbered("level")]
        expected = [level.name.replace("_", " ").lower() for level in Certainty]
        if found != expected:
            raise table.fault(
                f"{table.path} has the levels {', '.join(found)}, and CUB-200-2011 has {', '.join(expected)}."
            )

    def _attributes(self) -> dict[tuple[int, int], int]:
        """Return the column, counted from 0, of each group and color, found by the names of attributes."""
        table = self._table("attributes")
        names = table.counted("attribute", ATTRIBUTES)
        columns = {name: index for index, name in enumerate(names)}
        found = {}
        for place, group in enumerate(GROUPS):
            for color in group.colors:
                name = f"{group.attribute}::{color}"
                if name not in columns:
                    raise table.fault(f"{table.path} has no attribute '{name}'.")
                found[place, COLORS.index(color)] = columns[name]
        return found

    def _places(self, parts: Sequence[str], images: int) -> NDArray[np.float32]:
        """Return the points (N, P, 2) in the order of `PARTS`; NaN where a part is not visible."""
        table = self._table("points")
        rows = table.columns((int, int, float, float, int), "a part of an image")
        keys = self._keys(table, rows, images, len(parts), "part")
        visible = rows[:, 4]
        self._refuse_row(table, ~np.isin(visible, (0, 1)), rows, lambda row: f"visible is {row[4]:g}, and not 0 or 1")
        # Beyond the largest float32 there is no pixel either; NaN is not below it.
        wrong = (visible == 1) & ~(np.abs(rows[:, 2:4]) <= np.finfo(np.float32).max).all(1)
        self._refuse_row(table, wrong, rows, lambda row: f"the point is {row[2]}, {row[3]}")
        points = np.full((images * len(parts), 2), np.nan, np.float32)
        seen = visible == 1
        points[keys[seen]] = rows[seen, 2:4]
        return points.reshape(images, len(parts), 2)[:, [parts.index(part) for part in PARTS]]

    def _votes(self, attributes: dict[tuple[int, int], int], images: int) -> tuple[NDArray[np.int8], tuple[str, ...]]:
        """Return the votes (N, G, C) of `Annotations`, and remarks."""
        table = self._table("labels")
        rows = table.columns((int,) * 4, "an attribute of an image")
        keys = self._keys(table, rows, images, ATTRIBUTES, "attribute")
        present, certainty = rows[:, 2], rows[:, 3]
        wrong = (present < 0) | (present > 1)
        self._refuse_row(table, wrong, rows, lambda row: f"is_present is {row[2]}, and not 0 or 1")
        levels = f"{min(Certainty)} to {max(Certainty)}"
        wrong = (certainty < min(Certainty)) | (certainty > max(Certainty))
        self._refuse_row(table, wrong, rows, lambda row: f"the certainty is {row[3]}, and not one of {levels}")
        votes = np.zeros(images * ATTRIBUTES, np.int8)
        votes[keys] = present * certainty
        return _grouped(votes.reshape(images, ATTRIBUTES), attributes), self._remarks(table, len(rows))

    def _remarks(self, table: Table, rows: int) -> tuple[str, ...]:
        """Return sentences on the file that attributes of images were read from."""
        remarks = [f"attributes of images are read from {table.path.relative_to(self.path)}"]
        if table.path.read_bytes().count(b" ") != (FIELDS - 1) * rows:  # counting the fields of lines takes seconds
            longer = [fields[0] for _, fields in table.lines() if len(fields) > FIELDS]
            if longer:
                which = shortlist(sorted(set(longer), key=int), 10)
                remarks.append(
                    f"lines with more than {FIELDS} fields, of which the first four are read: {len(longer):,} (of "
                    f"images {which})"
                )
        return tuple(remarks)

    def _percentages(self, species: int) -> NDArray[np.float64]:
        """Return the percentages (S, A) of class_attribute_labels_continuous.txt."""
        table = self._table("percentages")
        found: NDArray[np.float64] = table.columns((float,) * ATTRIBUTES, "a class")
        if len(found) != species:
            raise table.fault(f"{table.path} has {len(found):,} lines, and there are {species:,} classes.")
        wrong: NDArray[np.bool_] = np.any(~((found >= 0) & (found <= 100)), axis=1)
        self._refuse_row(table, wrong, found, lambda row: f"a percentage is {row[~((row >= 0) & (row <= 100))][0]:g}")
        return found

    def _keys(self, table: Table, rows: NDArray[Any], images: int, count: int, what: str) -> NDArray[np.int64]:
        """Return the place of each row's image (field 0) and attribute or part (field 1) in a table (N, count).

        Raises:
            DataError: a row is of no image or no such thing, two are of the same, or one is missing.
        """
        for column, most, name in ((0, images, "image"), (1, count, what)):
            numbers = rows[:, column]
            wrong = (numbers < 1) | (numbers > most) | (numbers % 1 != 0)
            none = f"there is no {name} {{:g}} of {most:,}".format
            self._refuse_row(table, wrong, numbers, none)
        keys = (rows[:, 0].astype(np.int64) - 1) * count + rows[:, 1].astype(np.int64) - 1
        times = np.bincount(keys, minlength=images * count)
        if (times > 1).any():
            again = np.ones(len(keys), bool)
            again[np.unique(keys, return_index=True)[1]] = False
            said = f"{what} {{1:g}} of image {{0:g}} is there already"
            self._refuse_row(table, again, rows, lambda row: said.format(*row))
        if (times == 0).any():
            image, index = divmod(int(times.argmin()), count)
            raise table.fault(
                f"{table.path} has no line for {what} {index + 1} of image {image + 1}: it has {len(rows):,} of "
                f"{count} x {images:,} = {count * images:,} lines.",
                "It is truncated, half copied or damaged.",
            )
        return keys

    @staticmethod
    def _refuse_row(table: Table, wrong: NDArray[np.bool_], rows: NDArray[Any], reason: Callable[[Any], str]) -> None:
        """Raise DataError for the first wrong row, with the reason that a function gives for the row."""
        if wrong.any():
            first = int(wrong.argmax())
            raise table.wrong_row(first, reason(rows[first]))


def _grouped(values: NDArray[Any], attributes: dict[tuple[int, int], int]) -> NDArray[Any]:
    """Return values (n, A) of attributes as (n, G, C); 0 where a group lacks a color."""
    found = np.zeros((len(values), len(GROUPS), len(COLORS)), values.dtype)
    for (group, color), column in attributes.items():
        found[:, group, color] = values[:, column]
    return found
