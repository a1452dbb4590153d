"""Width and height of every picture, which points are counted in, kept in the data root.

Shapes: N pictures.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from PIL import Image
from torch import Tensor

from mtbench.errors import DataError

from ..files import read_with_sum, write_with_sum

__all__ = ["FramesCache"]

RECIPE = 1  # part of the file's name; raised when what is kept changes


@dataclass(frozen=True, kw_only=True)
class FramesCache:
    """The sizes of some pictures.

    Attributes:
        stem: the beginning of the file's name.
        files: the pictures.
        root: the data root.
        owner: the dataset as the person wrote it, for errors.
        help: a sentence on where to get the pictures.
    """

    stem: str
    files: Sequence[Path]
    root: Path
    owner: str
    help: str

    @property
    def path(self) -> Path:
        """The file below the data root."""
        return self.root / "birds" / f"{self.stem}-frames-v{RECIPE}.safetensors"

    def prepare(self) -> Tensor:
        """Return width and height (N, 2) int32, read again for pictures that have changed.

        Raises:
            DataError: a picture is missing or no picture, the first in order.
        """
        states = torch.tensor([_state(path) for path in self.files])
        try:
            kept = self._read()
        except DataError:
            kept = None
        gone = states[:, 0] < 0  # a picture may be removed once its size is known
        known = torch.zeros(len(states), dtype=torch.bool)
        if kept is not None:
            known = gone | (kept["states"] == states).all(1)
            if known.all():
                return kept["frames"]
        frames = torch.zeros(len(states), 2, dtype=torch.int32) if kept is None else kept["frames"].clone()
        for index in (~known).nonzero().squeeze(1).tolist():
            frames[index] = torch.tensor(self._frame(self.files[index]))
        if kept is not None:
            states = kept["states"].where(gone[:, None], states)
        write_with_sum(self.path, safetensors.torch.save({"frames": frames, "states": states}))
        return frames

    def read(self) -> Tensor:
        """Return width and height (N, 2) int32.

        Raises:
            DataError: they are missing, truncated or altered, or of other pictures.
        """
        return self._read()["frames"]

    def digest(self) -> str:
        """Return the sha256 of the sizes, wherever they were read from; empty while they are not prepared."""
        try:
            return hashlib.sha256(self.read().numpy().tobytes()).hexdigest()
        except DataError:
            return ""

    def _read(self) -> dict[str, Tensor]:
        kept = safetensors.torch.load(read_with_sum(self.path, self.owner))
        if len(kept["frames"]) != len(self.files):
            raise DataError(
                f"{self.path} is of {len(kept['frames']):,} pictures, and there are {len(self.files):,}.",
                mend=f"`mtbench data prepare {self.owner}` mends it.",
            )
        return kept

    def _frame(self, path: Path) -> tuple[int, int]:
        try:
            with Image.open(path) as image:
                return image.size
        except Exception as cause:  # Pillow raises OSError, SyntaxError, ValueError, struct.error and others
            raise DataError(
                f"{path} is missing, truncated or damaged ({type(cause).__name__}).",
                mend=f"Replace it; `mtbench data prepare {self.owner}` then goes on where it stopped.",
                where=self.help,
            ) from None


def _state(path: Path) -> tuple[int, int]:
    """Return size in bytes and time of the last change in nanoseconds; -1 and -1 for a missing file."""
    try:
        found = os.stat(path)
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns
