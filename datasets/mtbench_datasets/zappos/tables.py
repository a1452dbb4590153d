"""The files of UT-Zappos50K's data folder; errors name the file, and the line or field."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from mtbench.errors import DataError

from .vocabulary import COLUMNS

__all__ = ["LAYOUT", "fault", "read_cells", "read_lines", "read_paths", "read_triplets"]

LAYOUT = (
    "UT-Zappos50K is a folder with ut-zap50k-images/ (or ut-zap50k-images-square/), in which Boots, Sandals, Shoes and "
    "Slippers lie, and ut-zap50k-data/ with meta-data.csv and image-path.mat."
)
FIELD = "imagepath"
"""The variable of image-path.mat."""
INTEGERS = 3


def fault(given: str, help: str, mend: str = "") -> DataError:
    """Return an error about the dataset's files."""
    return DataError(given, mend=mend, allowed=LAYOUT, where=help)


def read_paths(path: Path, help: str) -> list[str]:
    """Return the paths of image-path.mat, in its order.

    Cells and a matrix of characters, whose rows are filled up with blanks, are read alike.

    Raises:
        DataError: the file is truncated, damaged or no such file; the text names the field.
    """
    file = io.BytesIO(_read(path, help))  # of a Path that cannot be read SciPy does not say why
    try:
        found = loadmat(file)  # type: ignore[arg-type]
        content = {name: value for name, value in found.items() if not name.startswith("__")}
        if not content:  # SciPy takes a file that ends after its head for one without variables
            raise ValueError("it ends after its head")
    except Exception as cause:  # SciPy raises ValueError, TypeError, OSError, IndexError, zlib.error and others
        reason = f"{type(cause).__name__}: {cause}".rstrip(".")
        raise fault(
            f"{path} is truncated, damaged or no MATLAB file of version 5 to 7 ({reason}).",
            help,
            "Unpack ut-zap50k-data again.",
        ) from None
    if FIELD not in content:
        raise fault(f"{path} has no variable '{FIELD}'; its variables: {', '.join(content)}.", help)
    paths = []
    for number, cell in enumerate(np.asarray(content[FIELD]).ravel(), start=1):
        inner = np.asarray(cell).ravel()
        if inner.size != 1 or inner.dtype.kind != "U" or inner[0].count("/") < 1:
            raise fault(f"{FIELD}[{number}] of {path} is {str(cell)[:80]!r}, and not the path of a picture.", help)
        paths.append(str(inner[0]).rstrip(" "))
    if not paths:
        raise fault(f"{FIELD} of {path} is empty.", help)
    _refuse_repeated(paths, f"{FIELD}[{{}}] of {path}", help)
    return paths


def read_cells(path: Path, columns: Sequence[str], help: str) -> tuple[list[list[str]], list[int]]:
    """Return the cells of some columns of meta-data.csv, row by row, and the number of each row's line.

    A file without a head is read as one with the released columns.

    Raises:
        DataError: a column or a cell is missing, or the file is damaged; the text names the line.
    """
    rows, lines = [], []
    reader = csv.reader(io.StringIO(_text(path, help), newline=""))
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as cause:
        raise fault(f"line {reader.line_num:,} of {path} cannot be read: {cause}.", help) from None
    if not rows:
        raise fault(f"{path} is empty.", help)
    names = [cell.strip() for cell in rows[0]]
    if "-" in names[0] and names[0] not in COLUMNS:
        names = list(COLUMNS)
    else:
        rows, lines = rows[1:], lines[1:]
    lacking = [column for column in columns if column not in names]
    if lacking:
        raise fault(f"line 1 of {path} has no column {lacking[0]}; its columns: {', '.join(names)}.", help)
    places = [names.index(column) for column in columns]
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(names):
            raise fault(f"line {line:,} of {path} has {len(row)} cells, and there are {len(names)} columns.", help)
    return [[row[place].strip() for place in places] for row in rows], lines


def read_lines(path: Path, help: str) -> list[str]:
    """Return the lines of a text file such as filenames.json, which is no JSON: a path a line.

    Raises:
        DataError: it cannot be read.
    """
    return _text(path, help).splitlines()


def read_triplets(path: Path, count: int, listed: Path, help: str) -> NDArray[np.int64]:
    """Return the triplets (M, 3) of a public list, as they stand there: anchor, far, close.

    Args:
        count: number of pictures, which indices refer to from 0.
        listed: the file that names these.

    Raises:
        DataError: a line is not three such indices.
    """
    text = read_lines(path, help)
    filled = [line for line in text if line.strip()]
    if not filled:
        raise fault(f"{path} has no triplets.", help)
    try:
        found = np.loadtxt(filled, np.int64, comments=None, ndmin=2)
        if found.shape[1] == INTEGERS and ((found >= 0) & (found < count)).all():
            return found
    except ValueError:
        pass
    for number, line in enumerate(text, start=1):
        fields = line.split()
        if fields and (len(fields) != INTEGERS or not all(field.isascii() and field.isdigit() for field in fields)):
            raise fault(f"line {number:,} of {path}: {line[:80]!r} is not three indices of pictures.", help)
        for field in fields:
            if int(field) >= count:
                raise fault(
                    f"line {number:,} of {path}: there is no picture {field}; {listed} names {count:,}, from 0.", help
                )
    raise fault(f"{path} cannot be read as triplets.", help)


def _read(path: Path, help: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise fault(f"{path} cannot be read: {cause.strerror}.", help) from None


def _text(path: Path, help: str) -> str:
    content = _read(path, help)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = content[: cause.start].count(b"\n") + 1
        raise fault(f"line {line:,} of {path} is no text in UTF-8: {cause.reason}.", help) from None


def _refuse_repeated(values: Sequence[str], place: str, help: str) -> None:
    first: dict[str, int] = {}
    for number, value in enumerate(values, start=1):
        if value in first:
            raise fault(f"{place.format(number)} is {value}, as {place.format(first[value])} is.", help)
        first[value] = number
