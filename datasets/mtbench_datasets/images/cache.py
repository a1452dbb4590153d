"""A folder of files in a cache below the data root: of each file a row of numbers, all rows in one file.

The cache of ``clevr-train`` at 224 x 224 is three files in ``images/``: ``clevr-train-224x224-v1.pixels`` has the
images one after the other, ``.rows`` a line per image (`Row`), and ``.json`` the seal (`Manifest`), written last. A row
is noted only when its pixels are surely on disk, so that work that was interrupted, or killed, goes on where it
stopped. Nothing is written beside the originals.
"""

import hashlib
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import torch

from mtbench.errors import DataError

from .decode import Source, read_source
from .mapped import Mapped, map_images
from .progress import shown
from .room import check_space, locked, writing
from .rows import Row, append_rows, manifest_of, names_sum, read_manifest, read_rows, write_manifest, write_rows

__all__ = ["FolderCache"]

AT_ONCE = 256
"""Files that are converted between two writes to disk."""


class FolderCache(ABC):
    """A file of numbers (N, ...) made of N files, one row of each; `convert` says how.

    Threads convert, since reading and resizing images releases the interpreter's lock.

    Args:
        stem: a name such as ``clevr-train``, unique below the data root.
        name: the name of the cache's files, without their ends; it begins with the stem, and says all that decides how
            files are converted.
        files: the originals, in the order of the rows.
        size: (H, W) of the images or maps.
        shape: the shape of a row.
        dtype: the dtype of the numbers.
        root: the data root.
        owner: the dataset as the person wrote it, for errors.
        help: a sentence on where to get the dataset.
    """

    def __init__(
        self,
        *,
        stem: str,
        name: str,
        files: Sequence[Path],
        size: tuple[int, int],
        shape: tuple[int, ...],
        dtype: torch.dtype,
        root: Path,
        owner: str,
        help: str,
    ) -> None:
        self.stem, self.files, self.size, self.shape, self.dtype = stem, tuple(files), size, shape, dtype
        self.help, self.folder = help, root / "images"
        self.pixels, self.rows, self.seal, self._lock = (
            self.folder / f"{name}.{kind}" for kind in ("pixels", "rows", "json", "lock")
        )
        self._prepare = f"`mtbench data prepare {owner}`"
        self._bytes = math.prod(shape) * dtype.itemsize

    @abstractmethod
    def convert(self, path: Path, mend: str) -> bytes:
        """Return the row that a file is converted to; called by several threads at once.

        Args:
            mend: a sentence for the error.

        Raises:
            DataError: the file is missing, damaged or another one than expected.
        """

    def prepare(self, say: Callable[[str], None]) -> None:
        """Decode missing images, in parallel, with progress; existing ones stay.

        Of a finished cache the sizes and the states of the originals are compared, not the sums of the pixels; `verify`
        does that, and breaks the seal of one that is damaged, after which this compares every sum and mends it.

        Raises:
            DataError: an original is missing, truncated or damaged, the first in order; there is no space for the
                images; or they cannot be written.
        """
        if self._fault(self._sources()) is None:
            return
        sources = self._present_sources()
        with locked(self._lock, self.stem, say):
            if self._fault(sources) is not None:  # else another process did it meanwhile
                self._fill(sources, say)

    def find_originals(self) -> None:
        """Raise DataError if there is something to decode and an original is missing or empty, the first in order."""
        if self._fault(self._sources()) is not None:
            self._present_sources()

    def verify(self) -> list[tuple[Path, str]]:
        """Check the pixels of every image against their sum; returns the file of pixels with the cache's fingerprint.

        Raises:
            DataError: the cache is not finished, does not belong to these originals, or is damaged.
        """
        self._check()
        rows = read_rows(self.rows)
        wrong = sorted(rows.keys() - self._intact(rows.values()).keys())
        if wrong:
            first = rows[wrong[0]]
            found = (
                f"{self.pixels} is altered: the sha256 of image {first.index} ({first.source.name}) is not "
                f"{first.sha256}; {len(wrong):,} of {len(rows):,} images are wrong."
            )
        elif manifest_of(rows, self.size) != read_manifest(self.seal):
            found = f"{self.seal} is altered: it does not fit {self.rows}."
        else:
            return [(self.pixels, f"sha256:{self.fingerprint()}")]
        with suppress(OSError):
            self.seal.unlink()
        raise DataError(found, mend=f"{self._prepare} mends it.")

    def open(self) -> Mapped:
        """Map the rows; errors as in `prepare`, if they are not prepared or do not belong to these originals.

        The size of the file, the seal and the states of the originals are checked, not the sums of the pixels.
        Originals that are not there any more are not missed.
        """
        self._check()
        return map_images(self.pixels, (len(self.files), *self.shape), self.dtype)

    def fingerprint(self) -> str:
        """Return a sum of the pixels, equal wherever they are equal; empty while they are not prepared."""
        manifest = read_manifest(self.seal)
        ours = manifest is not None and manifest.names == names_sum(self._names) and self._has_size()
        return manifest.fingerprint if manifest is not None and ours else ""

    @cached_property
    def _names(self) -> list[str]:
        """The paths of the files relative to their common folder, so that a dataset can be moved."""
        base = os.path.commonpath({os.path.dirname(file) for file in self.files})
        return [str(file)[len(base) :].lstrip(os.sep) for file in self.files]

    def _sources(self) -> list[Source | None]:
        return [read_source(path, name) for path, name in zip(self.files, self._names, strict=True)]

    def _present_sources(self) -> list[Source]:
        """Return the state of every original.

        Raises:
            DataError: one is missing or empty.
        """
        sources = self._sources()
        lacking = [path for path, source in zip(self.files, sources, strict=True) if source is None or not source.size]
        if lacking:
            raise DataError(
                f"{lacking[0]} is missing or empty; {len(lacking):,} of the {len(self.files):,} files of {self.stem} "
                "are.",
                mend=f"Copy the whole dataset; {self._prepare} then goes on.",
                where=self.help,
            )
        return [source for source in sources if source is not None]

    def _check(self) -> None:
        fault = self._fault(self._sources())
        if fault is not None:
            raise DataError(fault, mend=f"{self._prepare} mends it.")

    def _fault(self, sources: Sequence[Source | None]) -> str | None:
        """Return the fault of the cache of these originals, without the sums of pixels; None if there is none."""
        manifest = read_manifest(self.seal)
        if manifest is None or not self.rows.is_file() or not self.pixels.is_file():
            return f"{self.pixels} is not there, or not finished."
        if not self._has_size():
            return f"{self.pixels} has {self.pixels.stat().st_size} bytes, not {self._bytes * len(self.files)}."
        rows = read_rows(self.rows)
        if hashlib.sha256(self.rows.read_bytes()).hexdigest() != manifest.rows:
            return f"{self.rows} is altered: it does not fit {self.seal}."
        if manifest.names != names_sum(self._names):
            return f"{self.pixels} was made of other files than the {len(self.files):,} images of {self.stem}."
        for index, (path, source) in enumerate(zip(self.files, sources, strict=True)):
            if source is not None and rows[index].source != source:
                return f"{path} is not the file any more that {self.pixels} was made of."
        return None

    def _has_size(self) -> bool:
        return self.pixels.is_file() and self.pixels.stat().st_size == self._bytes * len(self.files)

    def _fill(self, sources: Sequence[Source], say: Callable[[str], None]) -> None:
        count = len(sources)
        check_space(self.pixels, self._bytes * count, f"{self.stem}: {count:,} images at {self._title()}", say)
        self.seal.unlink(missing_ok=True)
        noted = read_rows(self.rows)
        noted = {index: row for index, row in noted.items() if index < count and row.source == sources[index]}
        rows = self._intact(noted.values()) if self.pixels.is_file() else {}
        write_rows(self.rows, rows.values())
        missing = [index for index in range(count) if index not in rows]
        with shown(f"{self.stem} at {self._title()}", len(missing), say) as advance, writing(self.pixels):
            descriptor = os.open(self.pixels, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                os.ftruncate(descriptor, self._bytes * count)
                for start in range(0, len(missing), AT_ONCE):
                    for row in self._decoded(missing[start : start + AT_ONCE], sources, descriptor, advance):
                        rows[row.index] = row
            finally:
                os.close(descriptor)
        write_rows(self.rows, rows.values())
        write_manifest(self.seal, manifest_of(rows, self.size))
        say(f"{self.stem}: decoded {len(missing):,} images, {count - len(missing):,} were there")

    def _decoded(
        self, indices: Sequence[int], sources: Sequence[Source], descriptor: int, advance: Callable[[], None]
    ) -> list[Row]:
        """Decode some images into the file, and note those before the first that cannot be.

        Raises:
            DataError: see `convert`; for the first image in order that is wrong.
            OSError: nothing can be written.
        """

        def decoded(index: int) -> Row:
            mend = f"Replace it; {self._prepare} then goes on where it stopped."
            content = self.convert(self.files[index], mend)
            os.pwrite(descriptor, content, index * self._bytes)
            return Row(index=index, source=sources[index], sha256=hashlib.sha256(content).hexdigest())

        rows: list[Row] = []
        with ThreadPoolExecutor(_cores()) as pool:
            try:
                for row in pool.map(decoded, indices):
                    rows.append(row)
                    advance()
            finally:
                os.fsync(descriptor)  # first the pixels, then the note
                append_rows(self.rows, rows)
        return rows

    def _intact(self, rows: Iterable[Row]) -> dict[int, Row]:
        """Return those rows whose pixels have their sum, by index."""
        with self.pixels.open("rb") as file, ThreadPoolExecutor(_cores()) as pool:
            descriptor = file.fileno()

            def intact(row: Row) -> Row | None:
                content = os.pread(descriptor, self._bytes, row.index * self._bytes)
                return row if hashlib.sha256(content).hexdigest() == row.sha256 else None

            return {row.index: row for row in pool.map(intact, list(rows)) if row is not None}

    def _title(self) -> str:
        return f"{self.size[0]} x {self.size[1]}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
