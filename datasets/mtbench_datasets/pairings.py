"""Published pairings of Multi-MNIST with 2 digits: files that list the right digit of each image.

The files of Gama et al. (arXiv:2505.10347) have one index per line, counted from 0 in MNIST's original order; line i
belongs to the i-th left digit, and the left digits are taken in order:

    file       left digits                    right digits               lines
    training   0 to 49,999 of train           among the same             50,000
    validation 50,000 to 59,999 of train      among the same             10,000, or 60,000 of which the rest is unused
    test       0 to 9,999 of t10k             among the same             10,000

No digit of a validation image is in a training image, as in this package's own draws; but the digits set aside are the
last 10,000 and not a drawn set.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import File
from mtbench.errors import UsageError

from .composites import PARTS, VALIDATION_DIGITS, Part, Recipe

__all__ = ["Paired", "paired_parts"]

TRAIN = 60_000 - VALIDATION_DIGITS


@dataclass(frozen=True, kw_only=True)
class Paired:
    """A recipe of composites of two digits, in which a file lists the second digit of each.

    Attributes:
        file: one index per line.
        half: the half of MNIST, ``train`` or ``t10k``.
        left: the first digits, in order; the second ones are among the same.
        unused: number of lines that may follow those of the left digits.
    """

    file: File
    half: str
    left: range
    unused: int = 0

    def members(self, total: int, digits: int) -> Tensor:  # noqa: ARG002
        """Return (N, 2) int64, the digits of each composite: the left one and the right one.

        Raises:
            DataError: see `File.read`.
            UsageError: the file has another number of lines, or a line is no index of such a digit.
        """
        right = self._right()
        return torch.stack([torch.tensor(self.left), torch.tensor(right[: len(self.left)])], dim=1)

    def _right(self) -> list[int]:
        given = f"{self.file.subject} is '{self.file.path}'"
        lines = self.file.read().splitlines()
        counts = [len(self.left) + more for more in sorted({0, self.unused})]
        if len(lines) not in counts:
            allowed = " or ".join(f"{count:,}" for count in counts)
            raise UsageError(
                f"{given}, which has {len(lines):,} lines.", allowed=f"Allowed: {allowed} lines with an index in each."
            )
        right = []
        for number, line in enumerate(lines, start=1):
            text = line.strip()
            index = int(text) if text.isdigit() and len(text) < 10 else -1
            if index not in self.left:
                raise UsageError(
                    f"{given}, whose line {number} is '{text[:40].decode(errors='replace')}'.",
                    allowed=f"Allowed: the index of a digit, {self.left[0]} to {self.left[-1]}.",
                )
            right.append(index)
        return right


def paired_parts(train: File | None, val: File | None, test: File | None) -> Mapping[str, tuple[str, Recipe]]:
    """Return each part's recipe, and the name of its cache, which holds the hash of the file that the recipe reads.

    Where a file is not given the package's own draws apply. If a training or a validation file is given, the digits set
    aside for validation are the last 10,000 in every draw too, so that the parts never share a digit.

    Args:
        train: the file of ``train`` and ``train-without-val``, which are then the same 50,000 composites.
        val: the file of ``val``.
        test: the file of ``test``.
    """
    parts: dict[str, tuple[str, Recipe]] = {name: (name, part) for name, part in PARTS.items()}
    if train is not None or val is not None:
        for name, held_out in (("train-without-val", False), ("val", True)):
            seed = PARTS[name].seed
            parts[name] = (f"{name}-last", Part(half="train", seed=seed, held_out=held_out, last=True))
    if train is not None:
        paired = (f"train-{train}", Paired(file=train, half="train", left=range(TRAIN)))
        parts |= {"train": paired, "train-without-val": paired}
    if val is not None:
        last = range(TRAIN, TRAIN + VALIDATION_DIGITS)
        parts["val"] = (f"val-{val}", Paired(file=val, half="train", left=last, unused=TRAIN))
    if test is not None:
        parts["test"] = (f"test-{test}", Paired(file=test, half="t10k", left=range(10_000)))
    return parts
