"""Scenes in the data root, read once from hundreds of megabytes of JSON and in a moment ever after."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mtbench.errors import DataError

from ..facts import read_facts, read_tensors, write_tensors
from .reading import Folder
from .scenes import TENSORS, Scenes

__all__ = ["RECIPE", "Facts", "ScenesCache"]

RECIPE = 1  # part of the files' names; raised when what is read from scenes changes


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The head of a file of scenes.

    Attributes:
        count: number of scenes.
        frame: see `Scenes`.
        recomputed: see `Scenes`.
        digest: see `Scenes`.
        size: size of the file that they were read from, in bytes.
        changed: time of its last change, in nanoseconds.
    """

    count: int
    frame: tuple[int, int]
    recomputed: int
    digest: str
    size: int
    changed: int


@dataclass(frozen=True, kw_only=True)
class ScenesCache:
    """The scenes of one part, ``train`` or ``val``, of CLEVR in a folder.

    Attributes:
        folder: the folder of CLEVR.
        part: ``train`` or ``val``.
        path: the file below the data root.
        owner: the dataset as the person wrote it, for errors.
    """

    folder: Folder
    part: str
    path: Path
    owner: str

    def prepare(self) -> Scenes:
        """Return the scenes, read from CLEVR's file unless they are cached; errors as `Folder.read`."""
        try:
            return self.read()
        except DataError:
            return self.fill()

    def fill(self) -> Scenes:
        """Read the scenes from CLEVR's file, and keep them; errors as `Folder.read`."""
        scenes = self.folder.read(self.part)
        state = os.stat(self.folder.scenes_file(self.part))
        facts = Facts(
            count=len(scenes),
            frame=scenes.frame,
            recomputed=scenes.recomputed,
            digest=scenes.digest(),
            size=state.st_size,
            changed=state.st_mtime_ns,
        )
        write_tensors(self.path, {name: getattr(scenes, name) for name in TENSORS}, asdict(facts))
        return scenes

    def read(self) -> Scenes:
        """Return the scenes that were prepared.

        A file of CLEVR's that is not there any more is not missed.

        Raises:
            DataError: they are missing, truncated or altered, or CLEVR's file is another one by now.
        """
        tensors, facts = read_tensors(self.path, self.owner, _facts)
        original = self.folder.scenes_file(self.part)
        if os.path.isfile(original):  # Path.is_file raises for a folder without permission to read it
            state = os.stat(original)
            if (state.st_size, state.st_mtime_ns) != (facts.size, facts.changed):
                raise DataError(
                    f"{original} is not the file any more that {self.path} was read from.",
                    mend=f"`mtbench data prepare {self.owner}` reads it again.",
                )
        return Scenes(**tensors, frame=facts.frame, recomputed=facts.recomputed)

    def facts(self) -> Facts | None:
        """Return the head of the file; None where it was not prepared."""
        return read_facts(self.path, _facts)


def _facts(*, frame: Sequence[int], **others: Any) -> Facts:
    """Return facts as JSON has them, in which a tuple is a list."""
    height, width = frame
    return Facts(frame=(height, width), **others)
