"""Random numbers of one purpose."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from mtbench.contract import stream

__all__ = ["Draws"]

T = TypeVar("T")


class Draws:
    """A stream of random numbers.

    Args:
        seed: the world's seed.
        purpose: a name of their use; other purposes have other numbers.
    """

    def __init__(self, seed: int, *purpose: str | int) -> None:
        # The name is that of the world that was first; the purposes of the others begin with names of their own.
        self._generator = stream(seed, "birds world", *purpose)

    def array(self, *shape: int) -> NDArray[np.float64]:
        """Return numbers of 0 to 1."""
        numbers: NDArray[np.float64] = torch.rand(shape, generator=self._generator, dtype=torch.float64).numpy()
        return numbers

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Return a number of low to high, each as likely."""
        return low + (high - low) * float(self.array(1)[0])

    def middling(self, low: float, high: float) -> float:
        """Return a number of low to high, those in the middle more likely: the mean of two."""
        return low + (high - low) * float(self.array(2).sum()) / 2

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.uniform() < probability

    def below(self, bound: int) -> int:
        """Return a whole number of 0 to bound - 1, each as likely."""
        return min(int(bound * self.uniform()), bound - 1)

    def pick(self, values: Sequence[T]) -> T:
        """Return one of some values, each as likely."""
        return values[self.below(len(values))]

    def choose(self, weights: Mapping[T, float]) -> T:
        """Return one of the keys, as likely as its weight says."""
        left = self.uniform(0, sum(weights.values()))
        for key, weight in weights.items():
            left -= weight
            if left < 0:
                return key
        return next(iter(weights))

    def order(self, count: int) -> list[int]:
        """Return 0 to count - 1 in random order."""
        order: list[int] = torch.randperm(count, generator=self._generator).tolist()
        return order
