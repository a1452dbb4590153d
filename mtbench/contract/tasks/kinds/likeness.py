"""The definitions of other code, which kinds of dense tasks follow if requested."""

from typing import Literal, TypeAlias

from torch import Tensor

__all__ = ["Like", "mean_over_pixels"]

Like: TypeAlias = Literal["", "libmtl"]
"""The code whose definitions a kind follows: ``""`` for those of mtbench, ``"libmtl"`` for those of LibMTL.

LibMTL is Lin and Zhang, JMLR 2023, ``examples/nyu``. The losses and the augmentation of CAGrad, Nash-MTL and FAMO are
the same. The docstring of each kind states the differences.
"""


def mean_over_pixels(losses: Tensor, known: Tensor) -> Tensor:
    """Return the mean () over all defined pixels of a batch, from the means (n,) of its images.

    An image is weighted by the number of its defined pixels, whereas the mean of `losses` weights all images equally.

    Args:
        known: (n, H, W) bool, the defined pixels.
    """
    counts = known.flatten(1).sum(1)
    return (losses * counts).sum() / counts.sum()
