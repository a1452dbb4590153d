"""A data root with small datasets: composites of digits that are noise, and worlds of a few pictures."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from mtbench.contract.data.links import set_link
from mtbench.errors import DataError
from mtbench.plan.parse import parse_dataset
from mtbench_datasets import composites, mnist
from mtbench_datasets.mnist_sources import LocalFiles, build_idx
from tests.fuzz.place import Place

__all__ = ["COMPOSED", "DATASETS", "DataRoot"]

COMPOSED = "mmnist2"
"""The dataset whose sums are known here, as those of the real composites are."""
DATASETS = (
    *(COMPOSED, "mmnist3:offset=5", "clevr-mini:train=6:test=3:size=32", "dense-mini:train=4:test=2"),
    *("birds-mini:train=4:test=2", "faces-mini-labels:train=6:val=3:test=3", "shoes-mini:images=100"),
)
DIGITS = {"train": 40, "t10k": 20}


class DataRoot(Place):
    """A data root in which datasets are prepared.

    Args:
        place: an empty folder.
        datasets: the datasets as on the command line; that of composed digits is one of them.

    Attributes:
        owners: the first dataset that has written a file, by the file.
        known: sums that are known of composed files, by path below the root.
    """

    def __init__(self, place: Path, datasets: Sequence[str] = DATASETS) -> None:
        self.place, self.owners = place, dict[Path, str]()
        self._sums = dict(_write_digits(place / "mnist"))
        self.known: dict[str, str] = {}
        with self.patched():
            for name in datasets:
                parse_dataset(name).open(place).prepare(lambda _: None)
                for path in place.rglob("*"):
                    if path.is_file():
                        self.owners.setdefault(path, name)
            self.known = {
                path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in (place / "mnist").glob(f"{COMPOSED}-*.safetensors")
            }
            set_link(place, "clevr", place / "clevr-mini-6-3")
            super().__init__(place)
            self.loaded = {name: self.load(name) for name in datasets}
            self.fingerprints = {name: self.fingerprint(name) for name in datasets}

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Let the digits here be the original ones within the block; nothing is fetched, and no process is started."""
        with ExitStack() as stack:
            stack.enter_context(patch.dict(mnist.MD5, self._sums))
            stack.enter_context(patch.object(mnist, "MIRRORS", ()))
            stack.enter_context(patch.object(mnist, "Wheel", lambda: LocalFiles(self.place / "nowhere")))
            stack.enter_context(patch.object(composites, "VALIDATION_DIGITS", 10))
            stack.enter_context(patch.object(os, "sched_getaffinity", lambda _: {0}, create=True))
            known = lambda name: self.known if name == COMPOSED else {}  # noqa: E731
            stack.enter_context(patch("mtbench.cli.data.known.known_sums", known))
            yield

    def load(self, name: str) -> str:
        """Return a sum of all that training and pages are given of a dataset.

        Raises:
            DataError: a file of it is refused.
        """
        dataset, found = parse_dataset(name).open(self.place), hashlib.sha256()
        for split, validation in (("train", False), ("test", False), ("train", True), ("val", True)):
            for each in (
                dataset.load(split, validation=validation),
                dataset.labels(split, validation=validation),
            ):
                for part in fields(each):
                    if part.name != "foreground":
                        _add(found, getattr(each, part.name))
        return found.hexdigest()

    def fingerprint(self, name: str) -> str:
        """Return the fingerprint of a dataset; empty if it is not ready, or a file of it is refused."""
        try:
            return parse_dataset(name).open(self.place).fingerprint()
        except DataError:
            return ""


def _add(found: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        found.update(repr((value.shape, value.dtype)).encode())
        found.update(value.contiguous().view(-1).numpy().tobytes())
    elif isinstance(value, dict | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            _add(found, each)
    elif not callable(value):
        found.update(repr(value).encode())


def _write_digits(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the four files of MNIST with few digits of noise, and yield their names and MD5 sums."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for half, count in DIGITS.items():
        images = draw.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        labels = draw.integers(0, 10, count).astype(np.uint8)
        for name, values in ((f"{half}-images-idx3-ubyte", images), (f"{half}-labels-idx1-ubyte", labels)):
            (folder / name).write_bytes(build_idx(values))
            yield name, hashlib.md5(build_idx(values)).hexdigest()
