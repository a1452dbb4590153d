"""The files of UT-Zappos50K's data folder, with the facts of a world."""

import io
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from scipy.io import savemat

from .models import Shoe
from .vocabulary import COLUMNS, HEELS, VALUES, binary_name, folder_name

__all__ = ["TABLES", "picture_name", "tables"]

TABLES = (
    "ut-zap50k-data/meta-data.csv",
    "ut-zap50k-data/meta-data-bin.csv",
    "ut-zap50k-data/image-path.mat",
)
HEAD = b"MATLAB 5.0 MAT-file, written by mtbench"
"""Text at the beginning of a .mat file; SciPy's has the time in it, and equal worlds have equal bytes."""
HEAD_BYTES = 116


def picture_name(number: str, shoe_folder: Sequence[str]) -> str:
    """Return the path of a picture below ``ut-zap50k-images``, as on disk.

    Args:
        number: product and color, ``7000123.45``.
        shoe_folder: category, subcategory and brand.
    """
    return "/".join([*map(folder_name, shoe_folder), f"{number}.jpg"])


def tables(numbers: Sequence[str], shoes: Sequence[Shoe]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file, in the order of TABLES.

    Args:
        numbers: product and color of each picture.
        shoes: the shoes in the pictures.
    """
    rows = [_row(shoe) for shoe in shoes]
    cids = [number.replace(".", "-") for number in numbers]
    yield TABLES[0], _csv([("CID", *COLUMNS), *((cid, *row) for cid, row in zip(cids, rows, strict=True))])
    names = [(index, value) for index, column in enumerate(COLUMNS) for value in VALUES[column]]
    head = ("CID", *(binary_name(COLUMNS[index], value) for index, value in names))
    marks = [[str(int(value in row[index].split(";"))) for index, value in names] for row in rows]
    yield TABLES[1], _csv([head, *((cid, *mark) for cid, mark in zip(cids, marks, strict=True))])
    paths = [
        "/".join([shoe.kind.category, shoe.kind.subcategory, shoe.kind.brand, f"{number}.jpg"])
        for number, shoe in zip(numbers, shoes, strict=True)
    ]
    yield TABLES[2], _mat(paths)


def _row(shoe: Shoe) -> tuple[str, ...]:
    """Return the cells of a shoe in the order of COLUMNS; empty where nothing is known."""
    kind = shoe.kind
    heel = HEELS[kind.heel] if kind.heel >= 0 else ""
    return kind.category, kind.subcategory, heel, shoe.insole, kind.closure, kind.gender, shoe.material, shoe.toe


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()


def _mat(paths: Sequence[str]) -> bytes:
    """Return the bytes of image-path.mat: a cell array ``imagepath`` (N, 1) of paths."""
    cells = np.empty((len(paths), 1), object)
    cells[:, 0] = paths
    buffer = io.BytesIO()
    savemat(cast(Any, buffer), {"imagepath": cells})  # its stubs admit paths alone
    return HEAD.ljust(HEAD_BYTES) + buffer.getvalue()[HEAD_BYTES:]
