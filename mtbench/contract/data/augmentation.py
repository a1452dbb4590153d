"""Augmentations: random motions of the training examples, resampled in every epoch.

A dataset gives its training split a tuple of them, in the order in which they are applied:
``Split(augment=(Shift(2),))``. Images, points, and targets, maps and foreground move together; each kind of task
defines the motion of its targets.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from mtbench.contract.data.motion import Motion

__all__ = ["Augmentation", "Flip", "ScaleCrop", "Shift", "draw_motion"]


class Augmentation(ABC):
    """A distribution of motions; a subclass is a frozen data class of its parameters."""

    @abstractmethod
    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Motion:
        """Return a motion per example, on the CPU.

        Args:
            count: the number of examples.
            size: (H, W) of the images in pixels.
            generator: a CPU generator, the only source of randomness.
        """


@dataclass(frozen=True)
class Shift(Augmentation):
    """A shift by whole pixels, uniform in -pixels..pixels along either axis; pixels from outside are background.

    It equals padding by this number of pixels and cropping to the old size at a random place (He et al. 2016,
    Sec. 4.2).
    """

    pixels: int

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Motion:
        start = torch.randint(-self.pixels, self.pixels + 1, (count, 2), generator=generator)
        return replace(Motion.none(count, size), start=start.float())


@dataclass(frozen=True)
class Flip(Augmentation):
    """An exchange of left and right, with a given probability."""

    probability: float = 0.5

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Motion:
        flipped = torch.rand(count, generator=generator) < self.probability
        motion = Motion.none(count, size)
        motion.start[flipped, 1] = size[1] - 1
        motion.step[flipped, 1] = -1
        return motion


@dataclass(frozen=True)
class ScaleCrop(Augmentation):
    """A crop enlarged to the size of the image, as in code for NYUv2 (LibMTL, examples/nyu, ``--aug``).

    A scale s is drawn uniformly from `scales`, and then uniformly the place of a crop of floor(H / s) x floor(W / s)
    pixels, whose corner pixels become those of the image. Depth is divided by s, a disparity is multiplied by it.

    Deviations from LibMTL: maps, including normals, take the pixel that is nearest to the place that the image shows
    there. LibMTL counts pixels of labels and depth from their edges, up to a pixel off from its image, and blends
    normals, including undefined ones, bilinearly. LibMTL, and code that takes the augmentation from CAGrad's,
    divides disparities too. Kinds of tasks with ``like="libmtl"`` move their targets as LibMTL does.
    """

    scales: tuple[float, ...] = (1.0, 1.2, 1.5)

    def __post_init__(self) -> None:
        if not self.scales or min(self.scales) < 1:
            raise ValueError(f"scales are at least 1, and not {self.scales}")

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Motion:
        drawn = torch.randint(len(self.scales), (count,), generator=generator)
        lengths = torch.tensor([[math.floor(length / scale) for length in size] for scale in self.scales])[drawn]
        margins = torch.tensor(size) - lengths  # (n, 2)
        start = (torch.rand(count, 2, generator=generator, dtype=torch.float64) * (margins + 1)).floor()
        return Motion(
            size=size,
            start=start.float(),
            step=(lengths - 1) / (torch.tensor(size) - 1).clamp(min=1),
            enlarged=torch.tensor(self.scales)[drawn],
            exact=False,
        )


def draw_motion(
    augmentations: Sequence[Augmentation], count: int, size: tuple[int, int], generator: torch.Generator
) -> Motion:
    """Return one motion per example that applies all augmentations one after the other."""
    motion = Motion.none(count, size)
    for augmentation in augmentations:
        motion = motion.then(augmentation.draw(count, size, generator))
    return motion
