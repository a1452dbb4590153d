"""Datasets that are mistaken for CLEVR v1.0, recognized by their contents."""

from pathlib import Path
from typing import Any

__all__ = ["describe_file", "describe_scene"]

NSCL = "It is the scenes.json of NSCL, with objects that a detector found; CLEVR's own is called scenes-raw.json there."
WITH_MASKS = (
    "It is CLEVR-with-masks of multi_object_datasets: integer codes in 11 places, of which one is the background, and "
    "no scenes as CLEVR has them."
)
COGENT = "It is CLEVR-CoGenT, whose parts A and B have other combinations of shape and color."
CATER = "It is CATER, videos made of CLEVR's objects, whose relations do not fit the objects."
QUESTIONS = "It is without the scenes; the archive without images has them."


def describe_file(folder: Path) -> str:
    """Return a sentence about the contents of a folder that is not CLEVR v1.0; empty if they are unknown."""
    inner = next((path.parent.parent for path in sorted(folder.glob("*/scenes/CLEVR_*_scenes.json"))), None)
    if inner is not None:
        return f"Did you mean {inner}?"
    if any(folder.glob("*with_masks*")) or any(folder.glob("*.tfrecords")):
        return WITH_MASKS
    if any(folder.glob("scenes/CLEVR_*A_scenes.json")) or any(folder.glob("images/*A")):
        return COGENT
    if any(folder.glob("scenes.json")) or any(folder.glob("*/scenes.json")):
        return NSCL
    if any(folder.glob("questions/CLEVR_*_questions.json")):
        return QUESTIONS
    return "" if folder.is_dir() else f"{folder} is no folder."


def describe_scene(scene: Any) -> str:
    """Return a sentence about the dataset that a scene is of instead of CLEVR v1.0; empty if it is not known."""
    if not isinstance(scene, dict):
        return ""
    objects = scene.get("objects")
    first = objects[0] if isinstance(objects, list) and objects and isinstance(objects[0], dict) else {}
    if "objects_detection" in scene or ("mask" in first and "3d_coords" not in first):
        return NSCL
    if "movements" in scene or "movements" in first:
        return CATER
    if (
        "visibility" in scene
        or "visibility" in first
        or any(isinstance(first.get(name), int | float) for name in _CODED)
    ):
        return WITH_MASKS
    if str(scene.get("split", ""))[-1:] in ("A", "B"):
        return COGENT
    return ""


_CODED = ("color", "material", "shape", "size")
