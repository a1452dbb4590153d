"""Named streams of random numbers, each derived by hashing from the seed and its purpose.

No random state is carried from one use to the next, so a run that was killed and resumed draws the same numbers as an
uninterrupted one, and additional evaluations change nothing.
"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["derive", "reseed", "seeded", "stream"]


def derive(seed: int, *purpose: str | int) -> int:
    """Return a 63-bit seed for one purpose, e.g. ``derive(0, "epoch", 3)``; different purposes are independent."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int, *purpose: str | int) -> torch.Generator:
    """Return a CPU generator for one purpose, e.g. ``torch.randperm(n, generator=stream(seed, "order", epoch))``."""
    return torch.Generator().manual_seed(derive(seed, *purpose))


def reseed(seed: int, *purpose: str | int) -> None:
    """Set the global generators of torch, NumPy and Python to the stream of that purpose.

    For code without a generator argument, such as dropout.
    """
    derived = derive(seed, *purpose)
    torch.manual_seed(derived)
    np.random.seed(derived % 2**32)
    random.seed(derived)


@contextmanager
def seeded(seed: int, *purpose: str | int) -> Iterator[None]:
    """Set the global CPU generators to the stream of that purpose within the block, and restore them afterwards.

    For code without a generator argument, such as the initialization of ``torch.nn`` modules.
    """
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    derived = derive(seed, *purpose)
    # `torch.manual_seed` is for GPUs too, and where there is none it writes down the stack of calls once for each kind.
    torch.default_generator.manual_seed(derived)
    np.random.seed(derived % 2**32)
    random.seed(derived)
    try:
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])
