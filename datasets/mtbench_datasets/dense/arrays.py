"""From a ``.npy`` file to a row of a cache: arrays that are checked, and kept in narrow numbers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from mtbench.errors import DataError

from ..images import FolderCache

__all__ = ["UNDEFINED", "ArrayCache", "Depths", "Form", "Images", "Labels", "Normals", "read_row"]

RECIPE = 1
"""The version of the conversion of an array; part of the caches' names. Raised when numbers change."""
UNDEFINED = 255
"""The label of undefined pixels in the cache; -1 in the files."""
HALF_STEP = 0.5 / 255
LARGEST, SMALLEST = 65504.0, 2.0**-24
"""The largest and the smallest positive number of float16."""
LENGTH, MANY = 0.05, 0.1
"""A normal's length may differ so much from 1; of the normals of a file at most such a fraction may differ more."""
Values: TypeAlias = NDArray[np.float64]


class _Unfit(Exception):
    """An array is not as expected; the text says in what."""


class Form(ABC):
    """The form of the arrays of one folder, in the files and in the cache.

    Attributes:
        dtype: dtype of the cache.
        channels: number of channels in the last axis in the files; 0 if there is no such axis.
        kept: number of channels in the first axis in the cache; 0 if there is no such axis.
        expected: the numbers in the files, for errors.
    """

    dtype: ClassVar[torch.dtype]
    channels: ClassVar[int]
    kept: ClassVar[int]
    expected: str

    @abstractmethod
    def converted(self, values: Values) -> NDArray[Any]:
        """Return an array (H, W, C) or (H, W) of finite numbers in the form of the cache.

        Raises:
            _Unfit: it is not as expected.
        """


class Images(Form):
    """Floats from 0 to 1, kept as uint8 (3, H, W) of 255 times as much, rounded."""

    dtype, channels, kept = torch.uint8, 3, 3
    expected = "colors from 0 to 1"

    def converted(self, values: Values) -> NDArray[Any]:
        _expect(values, (values >= -HALF_STEP) & (values <= 1 + HALF_STEP), "and colors are from 0 to 1")
        return np.rint(values * 255).clip(0, 255).astype(np.uint8).transpose(2, 0, 1)


@dataclass(frozen=True)
class Labels(Form):
    """Classes, whole numbers from 0 on, -1 where undefined; kept as uint8 (H, W), `UNDEFINED` where undefined."""

    classes: int
    dtype, channels, kept = torch.uint8, 0, 0

    @property
    def expected(self) -> str:  # type: ignore[override]
        return f"whole numbers from 0 to {self.classes - 1}, and -1 where a pixel is undefined"

    def converted(self, values: Values) -> NDArray[Any]:
        _expect(values, values == np.rint(values), "and labels are whole numbers")
        _expect(values, (values >= -1) & (values < self.classes), f"and labels are from -1 to {self.classes - 1}")
        return np.where(values < 0, UNDEFINED, values).astype(np.uint8)


class Depths(Form):
    """Depths or disparities above 0, 0 where undefined; kept as float16 (H, W).

    Rounding changes a number by up to a 2,048th of it from 6.1e-5 on, and none becomes 0.
    """

    dtype, channels, kept = torch.float16, 1, 0
    expected = "numbers above 0, and 0 where a pixel is undefined"

    def converted(self, values: Values) -> NDArray[Any]:
        _expect(values, (values >= 0) & (values <= LARGEST), f"and these numbers are from 0 to {LARGEST:,.0f}")
        raised = np.where(values > 0, np.maximum(values, SMALLEST), 0)
        return raised[..., 0].astype(np.float16)


class Normals(Form):
    """Vectors x, y, z of length 1, (0, 0, 0) where undefined; kept as float16 (3, H, W)."""

    dtype, channels, kept = torch.float16, 3, 3
    expected = "vectors of length 1, and of length 0 where a pixel is undefined"

    def converted(self, values: Values) -> NDArray[Any]:
        _expect(values, np.abs(values) <= LARGEST, "and normals have the length 1")
        lengths = np.sqrt((values**2).sum(2))
        known = (values != 0).any(2)
        off = known & (np.abs(lengths - 1) > LENGTH)
        if off.sum() > MANY * known.sum():
            row, column = np.argwhere(off)[0]
            raise _Unfit(
                f"{off.sum():,} of its {known.sum():,} defined normals have another length than 1, as that at "
                f"[{row}, {column}] of length {lengths[row, column]:.4g}"
            )
        return values.transpose(2, 0, 1).astype(np.float16)


class ArrayCache(FolderCache):
    """The arrays of one folder, checked and kept in a memory map (N, H, W) or (N, C, H, W).

    Args:
        form: the form of the arrays.
        stem: e.g. ``nyuv2-train-depth``.
        note: further facts that affect the reading of files, e.g. ``7classes``; part of the names of the cache's files.
        files, size, root, owner, help: see `FolderCache`.
    """

    def __init__(
        self,
        *,
        form: Form,
        stem: str,
        note: str,
        files: Sequence[Path],
        size: tuple[int, int],
        root: Path,
        owner: str,
        help: str,
    ) -> None:
        self.form = form
        super().__init__(
            stem=stem,
            name="-".join(filter(None, (stem, note, f"{size[0]}x{size[1]}", f"v{RECIPE}"))),
            files=files,
            size=size,
            shape=(form.kept, *size) if form.kept else size,
            dtype=form.dtype,
            root=root,
            owner=owner,
            help=help,
        )

    def convert(self, path: Path, mend: str) -> bytes:
        return read_row(path, self.form, self.size, mend, self.help).tobytes()


def read_row(path: Path, form: Form, size: tuple[int, int], mend: str, help: str) -> NDArray[Any]:
    """Return the array in a file in the form of the cache.

    Args:
        size: (H, W).
        mend, help: sentences for the error.

    Raises:
        DataError: the file is missing, truncated or damaged, or its array has another shape or other numbers.
    """
    shape = (*size, form.channels) if form.channels else size
    try:
        return form.converted(_values(path, shape))
    except _Unfit as cause:
        given = f"{path} does not fit: {cause}."
    except Exception as cause:  # numpy raises ValueError, EOFError, OSError, SyntaxError and others
        given = f"{path} is missing, truncated or damaged ({type(cause).__name__}: {str(cause).rstrip('.')})."
    raise DataError(given, mend=mend, allowed=f"Expected: an array {shape} of {form.expected}.", where=help)


def _values(path: Path, shape: tuple[int, ...]) -> Values:
    """Return the finite numbers in a file; its shape is checked before they are read."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise _Unfit("it is an archive of several arrays")
    if array.shape != shape:
        raise _Unfit(f"its array has the shape {array.shape}, and not {shape}")
    if array.dtype.kind not in "fiu":
        raise _Unfit(f"its values are of the type {array.dtype}, and no real numbers")
    values = array.astype(np.float64)
    _expect(values, np.isfinite(values), "and numbers are finite")
    return values


def _expect(values: Values, right: NDArray[np.bool_], rule: str) -> None:
    """Refuse values of which some are not right, naming the first by its place in the array."""
    if not right.all():
        place = np.argwhere(~right)[0]
        raise _Unfit(f"its value at {place.tolist()} is {values[tuple(place)]:.6g}, {rule}")
