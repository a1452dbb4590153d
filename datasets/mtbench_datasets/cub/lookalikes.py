"""Datasets that are mistaken for CUB-200-2011, recognized by their contents."""

from pathlib import Path

__all__ = ["NABIRDS", "describe"]

NABIRDS = "It is NABirds, whose files have the same names: 11 parts, 1,011 classes and no attributes."
OF_2010 = "It is CUB-200 of 2010, with 6,033 images and no points of parts."
SEGMENTATIONS = "It is the archive of CUB-200-2011's segmentations, which lies beside the dataset."
CONCEPTS = "It is made of CUB-200-2011 for concept bottleneck models, with attributes that each class has as a whole."
ARCHIVE = "It is the archive; unpack it, and give the folder that has images.txt in it."
PICTURES = "It has pictures and no annotations; the archive of the dataset has both."


def describe(folder: Path) -> str:
    """Return a sentence about the contents of a folder that is not CUB-200-2011; empty if they are unknown."""
    try:
        return _describe(folder)
    except OSError:  # a folder without permission to read it
        return ""


def _describe(folder: Path) -> str:
    if any(folder.glob("hierarchy.txt")) or any(folder.glob("photographers.txt")):
        return NABIRDS
    if (folder / "images.txt").exists():
        return ""
    inner = next((path.parent for path in sorted(folder.glob("*/image_class_labels.txt"))), None)
    if inner is not None:
        return f"Did you mean {inner}?"
    for sentence, patterns in _SIGNS.items():
        if any(any(folder.glob(pattern)) for pattern in patterns):
            return sentence
    return "" if folder.is_dir() else f"{folder} is no folder."


_SIGNS = {
    OF_2010: ("annotations-mat", "lists/*.txt"),
    CONCEPTS: ("train*.pkl", "*/train*.pkl"),
    ARCHIVE: ("CUB_200_2011.*",),
    SEGMENTATIONS: ("segmentations*",),
    PICTURES: ("001.*", "images/001.*"),
}
