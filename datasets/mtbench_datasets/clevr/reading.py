"""CLEVR's scene files, read as released and checked; files that only look like them are refused.

Shapes: N scenes, K places for objects.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mtbench.errors import DataError

from ..worlds import MANIFEST
from .lookalikes import describe_file, describe_scene
from .scenes import PLACES, Scenes, right_by_pixels, right_in_space
from .vocabulary import WORDS

__all__ = ["FRAME", "OFFICIAL", "Folder"]

FRAME = (320, 480)
"""Height and width of the pictures as released."""
OFFICIAL = {"train": 70_000, "val": 15_000}
"""The number of scenes of each part as released."""
LARGEST = 1e9
"""A value that no coordinate reaches."""

_CODES = {name: {word: index for index, word in enumerate(words)} for name, words in WORDS.items()}


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder with CLEVR, or with another world in its format.

    Attributes:
        path: the folder.
        help: a sentence on where to get the dataset.
    """

    path: Path
    help: str

    def scenes_file(self, part: str) -> Path:
        """Return the scene file of ``train`` or ``val``."""
        return self.path / "scenes" / f"CLEVR_{part}_scenes.json"

    def picture(self, part: str, index: int) -> Path:
        """Return the picture of a scene."""
        return self.path / "images" / part / _name(part, index)

    def check(self) -> None:
        """Refuse a folder that has no scene files, or none that can be read.

        Raises:
            DataError: it is not CLEVR v1.0; the text names the missing file and the actual contents, if known.
        """
        for part in OFFICIAL:
            with self._reading(self.scenes_file(part)) as path:
                path.open("rb").close()

    def frame(self) -> tuple[int, int]:
        """Return height and width of the pictures that pixel coordinates count in.

        Raises:
            DataError: the file `MANIFEST` is there and cannot be read.
        """
        if not self._is_world():
            return FRAME
        with self._reading(self.path / MANIFEST) as path:
            facts = self._json(path, path.read_bytes())
        size = facts.get("size", FRAME[::-1]) if isinstance(facts, dict) else None
        if not (
            isinstance(size, list | tuple) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)
        ):
            raise self.fault(f"{path} gives no size of pictures.", "Expected: a 'size' of [width, height].")
        return size[1], size[0]

    def read(self, part: str) -> Scenes:
        """Return the scenes of ``train`` or ``val``.

        The list of what lies to the right is taken from ``relationships`` (or ``relations``). Where it is missing, or
        does not fit the objects in length or indices, it is computed anew: from places in space and directions by the
        generator's rule, or where these are missing too from pixels x.

        Raises:
            DataError: the file is missing, truncated, altered or not one of CLEVR, or cannot be read.
        """
        with self._reading(self.scenes_file(part)) as path:
            content = path.read_bytes()
        listed = self._listed(path, part, self._json(path, content))
        fields = _Fields(len(listed))
        for index, scene in enumerate(listed):
            try:
                fields.add(index, scene, _name(part, index))
            except (_Unfit, KeyError, TypeError, ValueError, AttributeError) as cause:
                raise self.fault(
                    f"scene {index} of {path} is not as in CLEVR: {_reason(cause)}.", describe_scene(scene)
                ) from None
        if not fields.has_places:
            raise self.fault(
                f"no object in {path} has 3d_coords.",
                "It is not the file of CLEVR v1.0, nor one that its generator wrote, but made from detected boxes or "
                "reduced.",
            )
        return fields.scenes(self.frame())

    def fault(self, given: str, expected: str = "") -> DataError:
        """Return the error that something in the folder is wrong."""
        layout = (
            "CLEVR v1.0 is a folder with scenes/CLEVR_train_scenes.json, scenes/CLEVR_val_scenes.json, "
            "images/train/CLEVR_train_000000.png ... and images/val/CLEVR_val_000000.png ..."
        )
        return DataError(given, mend=expected, allowed=layout, where=self.help)

    def _is_world(self) -> bool:
        return os.path.isfile(self.path / MANIFEST)  # Path.is_file raises for a folder without permission

    @contextmanager
    def _reading(self, path: Path) -> Iterator[Path]:
        """Within the block a file is read: an OSError becomes a DataError that names it."""
        try:
            yield path
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise self.fault(f"{path} is missing.", describe_file(self.path)) from None
        except OSError as cause:
            raise self.fault(f"{path} cannot be read: {cause.strerror}.") from None

    def _json(self, path: Path, content: bytes) -> Any:
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as cause:
            raise self.fault(
                f"{path} of {len(content)} bytes is no whole JSON: {cause}.", "It is truncated, half copied or damaged."
            ) from None

    def _listed(self, path: Path, part: str, content: Any) -> list[Any]:
        """Return the list of scenes in a file's content, of the right part and number."""
        if not isinstance(content, dict) or not isinstance(content.get("scenes"), list):
            found = f"with {', '.join(map(repr, list(content)[:5]))}" if isinstance(content, dict) else "a list"
            raise self.fault(
                f"{path} is no file of CLEVR's scenes, but JSON {found}.", "Expected: 'info' and 'scenes'."
            )
        scenes: list[Any] = content["scenes"]
        info = content.get("info")
        if not scenes:
            raise self.fault(f"{path} has no scenes.")
        split = info.get("split") if isinstance(info, dict) else None
        if split != part:
            raise self.fault(
                f"'info' in {path} has the split {split!r}, and not '{part}'.",
                describe_scene(scenes[0]),
            )
        if not self._is_world() and len(scenes) != OFFICIAL[part]:
            raise self.fault(
                f"{path} has {len(scenes):,} scenes, and CLEVR v1.0 has {OFFICIAL[part]:,} in {part}.",
                describe_scene(scenes[0]) or f"A smaller world in the same format has a file {MANIFEST} in its folder.",
            )
        return scenes


class _Unfit(Exception):
    """A scene is not as expected; the text says in what."""


class _Fields:
    """The arrays that scenes are read into."""

    def __init__(self, count: int) -> None:
        self.attributes: NDArray[np.int8] = np.full((count, PLACES, len(WORDS)), -1, dtype=np.int8)
        self.pixels: NDArray[np.float32] = np.full((count, PLACES, 2), np.nan, dtype=np.float32)
        self.places: NDArray[np.float64] = np.full((count, PLACES, 3), np.nan)
        self.directions: NDArray[np.float64] = np.zeros((count, 2, 3))  # to the left, to the right
        self.has_places = False  # of any object
        self.is_in_space: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        self.is_related: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        self.right: NDArray[np.bool_] = np.zeros((count, PLACES, PLACES), dtype=bool)

    def add(self, index: int, scene: Any, filename: str) -> None:
        """Read one scene."""
        if scene["image_index"] != index or scene["image_filename"] != filename:
            raise _Unfit(
                f"it is of image {scene['image_index']!r}, {scene['image_filename']!r}, where {index}, {filename!r} is "
                "expected"
            )
        objects = scene["objects"]
        if not 1 <= len(objects) <= PLACES:
            raise _Unfit(f"it has {len(objects)} objects, and CLEVR at least one and at most {PLACES}")
        if "objects_detection" in scene:
            raise _Unfit("it has 'objects_detection'")
        for place, thing in enumerate(objects):
            self.attributes[index, place] = [_class(name, thing[name]) for name in WORDS]
            x, y = thing["pixel_coords"][:2]
            if not (_is_finite(x) and _is_finite(y)):
                raise _Unfit(f"object {place} has the pixel coordinates {x!r}, {y!r}")
            self.pixels[index, place] = x, y
        self.is_in_space[index] = self._place(index, scene, objects)
        self.is_related[index] = self._relate(index, scene, len(objects))

    def scenes(self, frame: tuple[int, int]) -> Scenes:
        """Return the scenes that were read, with the relations that were missing."""
        pixels, places = torch.from_numpy(self.pixels), torch.from_numpy(self.places)
        directions, right = torch.from_numpy(self.directions), torch.from_numpy(self.right)
        related, in_space = torch.from_numpy(self.is_related), torch.from_numpy(self.is_in_space)
        rows = (~related & in_space).nonzero().squeeze(1)
        right[rows] = right_in_space(places[rows], directions[rows, 1])
        rows = (~related & ~in_space).nonzero().squeeze(1)
        right[rows] = right_by_pixels(pixels[rows, :, 0])
        lefts = (places * directions[:, :1]).sum(2)
        lefts[~in_space] = pixels[~in_space, :, 0].double() * 0
        return Scenes(
            attributes=torch.from_numpy(self.attributes),
            pixels=pixels,
            lefts=lefts,
            right=right,
            frame=frame,
            recomputed=int((~related).sum()),
        )

    def _place(self, index: int, scene: Any, objects: list[Any]) -> bool:
        """Read places in space and directions; False where any of them is missing."""
        self.has_places = self.has_places or any("3d_coords" in thing for thing in objects)
        directions = scene.get("directions")
        if not isinstance(directions, dict):
            return False
        vectors = [directions.get("left"), directions.get("right"), *(thing.get("3d_coords") for thing in objects)]
        if not all(
            isinstance(vector, list) and len(vector) == 3 and all(map(_is_finite, vector)) for vector in vectors
        ):
            return False
        self.directions[index] = vectors[:2]
        self.places[index, : len(objects)] = np.array(vectors[2:]).reshape(-1, 3)
        return True

    def _relate(self, index: int, scene: Any, count: int) -> bool:
        """Read the lists of objects to the right; return False if they are missing or do not fit the objects."""
        tables = scene.get("relationships", scene.get("relations"))
        table = tables.get("right") if isinstance(tables, dict) else None
        if not isinstance(table, list) or len(table) != count:
            return False
        pairs = []
        for place, others in enumerate(table):
            if not isinstance(others, list):
                return False
            for other in others:
                if type(other) is not int or not 0 <= other < count or other == place:
                    return False
                pairs.append((place, other))
        for place, other in pairs:
            self.right[index, place, other] = True
        return True


def _reason(cause: Exception) -> str:
    if isinstance(cause, KeyError):
        return f"{cause} is missing"
    return str(cause) if isinstance(cause, _Unfit) else f"its form is another ({cause})"


def _class(name: str, value: Any) -> int:
    try:
        return _CODES[name][value]
    except (KeyError, TypeError):
        raise _Unfit(f"an object has the {name} {value!r}, and CLEVR has {', '.join(WORDS[name])}") from None


def _is_finite(number: Any) -> bool:
    return type(number) in (int, float) and abs(number) < LARGEST  # false of NaN


def _name(part: str, index: int) -> str:
    return f"CLEVR_{part}_{index:06d}.png"
