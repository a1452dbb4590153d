"""The files of UT-Zappos50K, read as released and checked.

Shapes: N pictures.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from mtbench.errors import DataError

from ..worlds import MANIFEST
from .catalog import PARTS, Catalog, classes_of
from .places import LISTS, Pictures, find_file, find_lists, find_pictures, plain
from .tables import fault, read_cells, read_lines, read_paths, read_triplets
from .triplets import agreement
from .vocabulary import TASKS

__all__ = ["IMAGES", "Folder"]

IMAGES: Final = 50_025
"""Number of pictures, as released."""
PATHS, DATA, LINES = "image-path.mat", "meta-data.csv", "filenames.json"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder with UT-Zappos50K, or with another world in its format.

    Attributes:
        path: the folder.
        help: a sentence on where to get the dataset.
    """

    path: Path
    help: str

    @property
    def files(self) -> dict[str, Path]:
        """The files that are read, by their name; those of public lists only if they exist."""
        found = {name: find_file(self.path, name) or self.path / "ut-zap50k-data" / name for name in (PATHS, DATA)}
        lists = find_lists(self.path)
        if lists is not None:
            found[LINES] = lists / LINES
            for part in PARTS:
                for task in TASKS:
                    found[f"{part}-{task.name}"] = lists / LISTS / f"{task.listed}_tripletlist_{part}.txt"
        return found

    def check(self) -> None:
        """Refuse a folder that lacks a file or pictures.

        Raises:
            DataError: it is not UT-Zappos50K; the text names what is missing.
        """
        self._pictures()
        files = self.files
        for name in (PATHS, DATA):
            if not os.path.isfile(files[name]):
                raise fault(f"{files[name]} is missing.", self.help)

    def read(self) -> Catalog:
        """Return all pictures with their labels.

        Row i of meta-data.csv belongs to path i of image-path.mat: base names repeat across folders, so neither they
        nor CIDs identify a picture. CIDs are compared all the same. Where there are not as many rows as paths they
        decide.

        Raises:
            DataError: a file or a picture is missing, truncated, altered or not one of UT-Zappos50K; the text names the
                first that is wrong, and the line or field.
        """
        self.check()
        files = self.files
        names = read_paths(files[PATHS], self.help)
        if len(names) != IMAGES and not os.path.isfile(self.path / MANIFEST):
            raise fault(
                f"{files[PATHS]} lists {len(names):,} pictures, and UT-Zappos50K has {IMAGES:,}.",
                self.help,
                f"A smaller world in the same format has a file {MANIFEST} in its folder.",
            )
        cells, joined = self._joined(files[DATA], names)
        found, placed = self._placed(files[PATHS], names)
        classes, values = classes_of(cells)
        catalog = Catalog(
            names=tuple(names),
            files=tuple(found),
            classes=classes,
            values=values,
            lists={},
            remarks=(*placed, *joined, *_coverage(names, cells, classes)),
        )
        if LINES not in files:
            return replace(catalog, remarks=(*catalog.remarks, "no public triplet lists were found"))
        return self._listed(catalog, files)

    def _pictures(self) -> Path:
        root = find_pictures(self.path)
        if root is None:
            state = "has no folder with Boots, Sandals, Shoes or Slippers" if self.path.is_dir() else "is no folder"
            raise fault(f"{self.path} {state}.", self.help)
        return root

    def _placed(self, path: Path, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the place of the pictures, below the dataset's folder, and remarks."""
        root = self._pictures()
        pictures = Pictures(root)
        found = [pictures.find(name) for name in names]
        lacking = [number for number, file in enumerate(found) if file is None]
        if lacking:
            raise fault(
                f"imagepath[{lacking[0] + 1}] of {path} lists {names[lacking[0]]}, which is not in {root}, neither "
                f"under this name nor under one that is spelt alike; {len(lacking):,} of {len(names):,} pictures are "
                "not.",
                self.help,
                "Unpack the archive of pictures again.",
            )
        below = root.relative_to(self.path).as_posix()
        remarks = [f"pictures are read from {root}"]
        if pictures.repaired:
            ways = "; ".join(f"{words} {count:,}" for words, count in sorted(pictures.repaired.items()))
            total = sum(pictures.repaired.values())
            remarks.append(f"paths of {path.name} that are spelt otherwise on disk, and were found: {total:,} ({ways})")
        return [file if below == "." else f"{below}/{file}" for file in found if file is not None], remarks

    def _joined(self, path: Path, names: Sequence[str]) -> tuple[list[list[str]], list[str]]:
        """Return the cells of each picture that tasks are made of, and remarks."""
        rows, lines = read_cells(path, ["CID", *(task.column for task in TASKS)], self.help)
        if len(rows) != len(names):
            return self._matched(path, names, rows)
        wrong = [row for row, name in enumerate(names) if _cid(name) != rows[row][0]]
        if len(wrong) > max(1, len(names) // 100):
            first = wrong[0]
            raise fault(
                f"line {lines[first]:,} of {path} is of {rows[first][0]}, and picture {first + 1:,} of {PATHS} is "
                f"{names[first]}; {len(wrong):,} of {len(names):,} rows are of other pictures.",
                self.help,
                "Take both files from one archive.",
            )
        remarks = []
        if wrong:
            remarks.append(
                f"rows of {path.name} whose CID is not that of their picture, which are read all the same: "
                f"{len(wrong):,}, the first {rows[wrong[0]][0]} for {names[wrong[0]]}"
            )
        return [row[1:] for row in rows], remarks

    def _matched(
        self, path: Path, names: Sequence[str], rows: Sequence[list[str]]
    ) -> tuple[list[list[str]], list[str]]:
        """Return what `_joined` does where there are more rows than pictures, or fewer.

        Of equal CIDs the first row is that of the first picture, and so on.
        """
        left: dict[str, list[list[str]]] = {}
        for row in reversed(rows):
            left.setdefault(row[0], []).append(row[1:])
        found = [left[_cid(name)].pop() if left.get(_cid(name)) else None for name in names]
        lacking = [name for name, row in zip(names, found, strict=True) if row is None]
        spare = len(rows) - (len(names) - len(lacking))
        if max(len(lacking), spare) > max(1, len(names) // 100):
            raise fault(
                f"{path} has {len(rows):,} rows, and {PATHS} lists {len(names):,} pictures; {len(lacking):,} of these "
                f"have no row with their CID{f', the first {lacking[0]}' if lacking else ''}, and {spare:,} rows have "
                "no picture.",
                self.help,
                "Take both files from one archive.",
            )
        said = (
            f"{path.name} has {len(rows):,} rows for {len(names):,} pictures, and is joined to them by CIDs in their "
            f"order: {len(lacking):,} pictures without a row, whose labels are unknown, {spare:,} rows without a "
            "picture"
        )
        return [row or [""] * len(TASKS) for row in found], [said]

    def _listed(self, catalog: Catalog, files: dict[str, Path]) -> Catalog:
        """Return the catalog with the public triplet lists, whose direction is compared with the labels."""
        index: dict[str, int] = {}
        for row, name in enumerate(catalog.names):
            index.setdefault(plain(name), row)
        index |= {name: row for row, name in enumerate(catalog.names)}
        lines = read_lines(files[LINES], self.help)
        rows = torch.tensor([index.get(line, index.get(plain(line), -1)) for line in lines])
        lists, remarks = {}, []
        for part in PARTS:
            for task, attribute in enumerate(TASKS):
                key = f"{part}-{attribute.name}"
                numbers = torch.from_numpy(read_triplets(files[key], len(lines), files[LINES], self.help))
                triplets = self._known(rows[numbers], numbers, files[key], lines)[:, [0, 2, 1]]  # far, then close
                right, turned = agreement(catalog, task, triplets)
                if turned > right:
                    raise fault(
                        f"{files[key]}: of its triplets, as far as labels decide, {right:,} have their third picture "
                        f"nearer to the first and {turned:,} their second.",
                        self.help,
                        "Lines are to be anchor, far, close.",
                    )
                lists[key] = triplets.int()
                remarks.append(
                    f"{files[key].name}: {len(triplets):,} public triplets; of a sample {right:,} agree with the labels"
                    f" and {turned:,} contradict them"
                )
        return replace(catalog, lists=lists, remarks=(*catalog.remarks, *remarks))

    def _known(self, rows: Tensor, numbers: Tensor, path: Path, lines: Sequence[str]) -> Tensor:
        wrong = rows < 0
        if wrong.any():
            line, place = wrong.nonzero()[0].tolist()
            number = int(numbers[line, place])
            raise DataError(
                f"triplet {line + 1:,} of {path} has picture {number}, {lines[number]} in line {number + 1:,} of "
                f"{LINES}, which {PATHS} does not list.",
                mend="Triplets can be generated instead, with the option lists=generated.",
                where=self.help,
            )
        return rows


def _cid(name: str) -> str:
    """Return the CID of a picture: ``100627.72.jpg`` is ``100627-72``."""
    return name.rpartition("/")[2].rpartition(".")[0].replace(".", "-")


def _coverage(names: Sequence[str], cells: Sequence[Sequence[str]], classes: Tensor) -> list[str]:
    """Return remarks on how many pictures have a label, and where folders and metadata disagree."""
    remarks = []
    for task, attribute in enumerate(TASKS):
        known = int((classes[:, task] >= 0).sum())
        odd = {row[task] for row in cells if row[task] and not attribute.value(row[task])}
        what = f", not read: {', '.join(sorted(odd)[:5])}" if odd else ""
        remarks.append(f"{attribute.name}: known of {known:,} of {len(names):,} pictures{what}")
    other = [row for row, name in enumerate(names) if plain(name.split("/")[0]) != cells[row][0]]
    if other:
        remarks.append(
            f"pictures in the folder of another category than the metadata say: {len(other):,}, the first "
            f"{names[other[0]]}, {cells[other[0]][0] or 'none'}"
        )
    return remarks
