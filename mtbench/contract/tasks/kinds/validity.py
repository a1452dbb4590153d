"""Sentences on invalid targets of a kind."""

import torch
from torch import Tensor

__all__ = ["wrong_classes", "wrong_numbers", "wrong_shape"]


def wrong_shape(targets: Tensor, *inner: int | None) -> str:
    """Return the error in the shape of targets (n, *inner), where None is any size; empty if there is none."""
    found = tuple(targets.shape[1:])
    if len(found) == len(inner) and all(size in (None, other) for size, other in zip(inner, found, strict=True)):
        return ""
    names = "".join(f", {'any' if size is None else size}" for size in inner) or ","
    return f"have shape {tuple(targets.shape)}, and should have (n{names})"


def wrong_classes(targets: Tensor, classes: int, *, ignore: int | None = None) -> str:
    """Return the error in classes 0 to `classes` - 1; empty if there is none.

    Args:
        ignore: the label of undefined targets; None for any negative number.
    """
    if targets.dtype not in (torch.uint8, torch.int64):
        return f"are {targets.dtype}, and should be torch.int64, or torch.uint8, which is less memory"
    wide = targets if targets.dtype == torch.int64 else targets.to(torch.int16)  # in uint8 -1 equals 255
    undefined = wide < 0 if ignore is None else wide == ignore
    outside = wide[((wide < 0) | (wide >= classes)) & ~undefined]
    if not len(outside):
        return ""
    least, greatest = int(outside.min()), int(outside.max())
    which = f"{least}" if least == greatest else f"from {least} to {greatest}"
    found = "1 number that is" if len(outside) == 1 else f"{len(outside):,} numbers that are"
    return f"have {found} none of the {classes} classes 0 to {classes - 1}: {which}"


def wrong_numbers(targets: Tensor) -> str:
    """Return the error in the dtype of numbers; empty if there is none."""
    return "" if targets.is_floating_point() else f"are {targets.dtype}, and should be torch.float32"
