"""Chunks of examples for a device, each with the labels that its step may use, found before the first step.

The number of labels of a step determines the shapes within it. Reading that number from a GPU in the step would wait
for all of its pending work; here it is known on the CPU for a whole epoch, and the rows are copied at once.
"""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from mtbench.train.machine.device import waits

__all__ = ["Chunk", "Placed", "placed"]

Placed: TypeAlias = tuple[Tensor, Tensor | None, tuple[Tensor, ...] | None]
"""The arguments of `Split.batch`: rows (B,), the tasks drawn for them (B,) or None, `Batch.known_rows` or None."""
Chunk: TypeAlias = tuple[Tensor, Tensor | None] | Placed
"""The rows and drawn tasks of a chunk, with or without known rows."""


def placed(chunks: Sequence[tuple[Tensor, Tensor | None]], defined: Tensor, device: torch.device) -> list[Placed]:
    """Return chunks on a device, with their known rows if finding these in a step would wait for the device.

    Args:
        chunks: rows (B,) and the tasks drawn for them (B,) or None, on the CPU.
        defined: (N, T) bool on the CPU, the mask of defined targets.
    """
    if not chunks or not waits(device):
        return [(rows, drawn, None) for rows, drawn in chunks]
    tasks, known, counts = torch.arange(defined.shape[1]), list[Tensor](), list[int]()
    for rows, drawn in chunks:
        use = defined[rows].T if drawn is None else defined[rows].T & (drawn == tasks[:, None])  # (T, B)
        known.append(use.nonzero()[:, 1])
        counts += use.sum(1).tolist()
    used = torch.split(torch.cat(known).to(device), counts)
    here = _moved([rows for rows, _ in chunks], device)
    asked = [drawn for _, drawn in chunks if drawn is not None]
    drawn_here = _moved(asked, device) if asked else [None] * len(chunks)
    by_chunk = zip(*[iter(used)] * len(tasks), strict=True)
    return list(zip(here, drawn_here, by_chunk, strict=True))


def _moved(parts: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Return tensors (n,) on a device, copied together."""
    return list(torch.split(torch.cat(list(parts)).to(device), [len(part) for part in parts]))
