"""Memory maps of splits: their sizes, and copies of them on devices."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtbench.contract.data.batch import Inputs

__all__ = ["copied", "fits", "size_of"]

AT_ONCE = 256
"""Number of rows of a memory map that are copied to a device at a time."""


def copied(tensor: Tensor, rows: Tensor, device: torch.device, release: Callable[[], None] | None) -> Tensor:
    """Return some rows of a tensor in a memory map on a device, read in parts; `release` is called after each."""
    copy = torch.empty(len(rows), *tensor.shape[1:], dtype=tensor.dtype, device=device)
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        copy[start : start + len(part)] = tensor.index_select(0, part).to(device)
        if release is not None:
            release()
    return copy


def size_of(inputs: Inputs, count: int) -> int:
    """Return the size in bytes of `count` of the inputs."""
    tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs.values())
    return sum(count * tensor[0].numel() * tensor.element_size() for tensor in tensors)


def fits(size: int, device: torch.device) -> bool:
    """Return True if this number of bytes is at most half of the free memory of a CUDA device."""
    free, _ = torch.cuda.mem_get_info(device)
    return 2 * size <= free
