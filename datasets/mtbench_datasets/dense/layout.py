"""The folders of a dataset, and the arrays in them, as users of MTAN's preprocessed files have them."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PARTS", "Layout"]

PARTS = ("train", "val")
"""The folders of the training split and of the test split: the folder ``val`` is the test split of published tables."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The form of a dataset on disk: ``train`` and ``val``, in each a folder for images and one for each task.

    Attributes:
        title: its name for people.
        size: (H, W) of every image and map.
        counts: images of each of `PARTS`.
        classes: number of classes of a pixel.
        labels: names that the folder of labels may have; the first that is there is read.
        normals: True if there are normals.
    """

    title: str
    size: tuple[int, int]
    counts: Mapping[str, int]
    classes: int
    labels: tuple[str, ...] = ("label",)
    normals: bool = True

    def folders(self, label: str) -> dict[str, str]:
        """Return the names of the folders by their contents: image, label, depth, normal.

        Args:
            label: the name in `labels` of the folder that is read.
        """
        found = {"image": "image", "label": label, "depth": "depth"}
        return found | {"normal": "normal"} if self.normals else found

    @property
    def words(self) -> str:
        """The layout in a sentence, for errors."""
        names = ", ".join(self.folders("/".join(self.labels)).values())
        train, val = (f"{self.counts[part]:,}" for part in PARTS)
        height, width = self.size
        return (
            f"{self.title} is a folder with train/ and val/, in each {names}, and in each of these 0.npy, 1.npy ...: "
            f"{train} and {val} arrays of {height} x {width}, channels last."
        )
