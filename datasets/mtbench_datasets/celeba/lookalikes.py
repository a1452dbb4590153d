"""Folders that are mistaken for CelebA, recognized by their contents."""

from pathlib import Path

__all__ = ["WILD", "describe"]

WILD = (
    "It has the pictures in the wild, img_celeba; the aligned ones, img_align_celeba, of 178 x 218 pixels, are needed."
)
MASKS = "It is CelebAMask-HQ, with 30,000 pictures of 1024 x 1024 in an order of its own."
ARCHIVES = "It has archives; unpack those of the aligned pictures, img_align_celeba, in their folder."
PICTURES = "It has pictures and no annotations: list_attr_celeba.txt and list_eval_partition.txt lie beside them."


def describe(folder: Path) -> str:
    """Return a sentence about the contents of a folder that is not CelebA; empty if they are unknown."""
    try:
        return _describe(folder)
    except OSError:  # a folder without permission to read it
        return ""


def _describe(folder: Path) -> str:
    if any(folder.glob("CelebAMask-HQ*")) or any(folder.glob("CelebA-HQ-img")):
        return MASKS
    inner = next((path for path in sorted(folder.glob("*/list_attr_celeba.*")) if path.parent.name != "Anno"), None)
    inner_root = inner.parent if inner else next((path.parent for path in sorted(folder.glob("*/Anno"))), None)
    if inner_root is not None:
        return f"Did you mean {inner_root}?"
    for sentence, (patterns, without) in _SIGNS.items():
        if _has(folder, patterns) and not _has(folder, without):
            return sentence
    return "" if folder.is_dir() else f"{folder} is no folder."


def _has(folder: Path, patterns: tuple[str, ...]) -> bool:
    return any(any(folder.glob(pattern)) for pattern in patterns)


_LISTS = ("list_*", "Anno/list_*", "Eval/list_*")
_ALIGNED = ("img_align_celeba/000001.*", "Img/img_align_celeba/000001.*", "Img/img_align_celeba_png/000001.*")
_SIGNS = {
    WILD: (("img_celeba", "Img/img_celeba"), _ALIGNED),
    PICTURES: (("000001.jpg", "img_align_celeba/000001.jpg", "000001.png"), _LISTS),
    ARCHIVES: (("img_align_celeba*.zip", "Img/*.zip", "*.7z*", "Img/*.7z*", "Img/*/*.7z*"), _ALIGNED),
}
"""Patterns that a folder has and lacks, by the sentence that describes it."""
