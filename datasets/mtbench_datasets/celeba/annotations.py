"""The annotations of CelebA as tensors.

Shapes: N images, A = 40 attributes.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from .vocabulary import NAMES

__all__ = ["PARTS", "TENSORS", "Annotations"]

PARTS: Final = ("train", "val", "test")
"""The splits, in the order of their numbers in list_eval_partition.txt."""
TENSORS: Final = ("attributes", "part")
"""The fields of `Annotations` that are tensors."""


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """The annotations of all images, in the order of their numbers.

    Attributes:
        attributes: (N, A) bool, the attributes that each image has.
        part: (N,) uint8, an index of `PARTS`.
        remarks: sentences on how the files differ from the released ones, where that makes no difference.
    """

    attributes: Tensor
    part: Tensor
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.part)

    def digest(self) -> str:
        """Return the sha256 of the annotations, wherever they were read from."""
        text = hashlib.sha256()
        for name in TENSORS:
            text.update(getattr(self, name).contiguous().numpy().tobytes())
        return text.hexdigest()

    def has(self, attribute: str) -> Tensor:
        """Return (N,) bool, the images that have an attribute."""
        return self.attributes[:, NAMES.index(attribute)]

    def rows(self, split: str) -> Tensor:
        """Return the indices (n,) int64 of a split's images, in their order."""
        return (self.part == PARTS.index(split)).nonzero().squeeze(1)
