"""Dense tasks in small: a world of rooms that is drawn here, in the very same format."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mtbench.contract import TrainingProtocol, option

from .. import conventions
from ..drawn import Drawn
from ..worlds.rooms import CLASSES, find_faults, write_world
from .dataset import Dense, DenseOptions
from .layout import Layout

__all__ = ["DenseMini", "DenseMiniOptions"]

SIZE = (96, 128)
TRAIN, TEST = 1200, 300


@dataclass(frozen=True, kw_only=True)
class DenseMiniOptions(DenseOptions):
    augment: bool = option(
        False, "training images are enlarged and cropped at random (1, 1.2 or 1.5 times) and flipped"
    )
    train: int = option(TRAIN, "pictures to train on that are drawn", low=2, high=100_000)
    test: int = option(TEST, "pictures to test on that are drawn", low=1, high=20_000)


class DenseMini(Drawn, Dense):
    """Dense tasks in small: 1,200 + 300 drawn rooms of 96 x 128, with the three tasks of nyuv2.

    `mtbench data prepare dense-mini` draws them, in minutes. They are in the format of nyuv2 and are read by the same
    code.
    """

    Options = DenseMiniOptions
    default_backbone = "deeplab:depth=18:width=.25:channels=32:rates=4/8/12"
    protocols: ClassVar = {
        # As LibMTL trains on NYUv2, at which little is learnt of so few pictures.
        "paper": TrainingProtocol(
            name="paper", epochs=200, batch=8, lr=1e-4, schedule="step:every=100:factor=.5", seeds=3
        ),
        "quick": TrainingProtocol(name="quick", epochs=3, batch=8, lr=2e-3, schedule="cosine", images=600, seeds=2),
        "world": TrainingProtocol(name="world", epochs=6, batch=8, lr=1e-3, schedule="cosine", seeds=3),
    }
    input_shape = (3, *SIZE)
    conventions: ClassVar = conventions.DENSE
    name = "dense-mini"
    world = "dense-mini"
    find_faults = staticmethod(find_faults)
    classes = CLASSES
    paper = "drawn here; tasks: Liu et al., End-to-End Multi-Task Learning with Attention, CVPR 2019"

    @property
    def layout(self) -> Layout:
        counts = {"train": self.options.train, "val": self.options.test}
        return Layout(title="the world of rooms", size=SIZE, counts=counts, classes=len(CLASSES))

    def draw(self, folder: Path, seed: int, say: Callable[[str], None]) -> None:
        write_world(folder, train=self.options.train, val=self.options.test, seed=seed, say=say)
