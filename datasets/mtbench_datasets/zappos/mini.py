"""UT-Zappos50K in small: a world that is drawn here, in the very same format."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mtbench.contract import TrainingProtocol, option

from ..drawn import Drawn
from ..triplets import paper_protocol
from ..worlds.shoes import find_faults, write_world
from .dataset import Shoes, ShoesOptions

__all__ = ["ShoesMini", "ShoesMiniOptions"]

IMAGES = 6000


@dataclass(frozen=True, kw_only=True)
class ShoesMiniOptions(ShoesOptions):
    size: int = option(64, "side of the square that pictures are resized to, in pixels", low=32, high=1024)
    triplets: int = option(4000, "triplets per task to train on", low=1, high=1_000_000)
    test_triplets: int = option(1000, "triplets per task to test on, and to validate on", low=1, high=1_000_000)
    images: int = option(IMAGES, "pictures that are drawn", low=100, high=1_000_000)


class ShoesMini(Drawn, Shoes):
    """UT-Zappos50K in small: 6,000 drawn shoes, with the four tasks of zappos50k.

    `mtbench data prepare shoes-mini` draws them, in minutes. They are in the format of UT-Zappos50K and are read by the
    same code.
    """

    Options = ShoesMiniOptions
    default_backbone = "retrieval:width=.25:decay=.9"
    protocols: ClassVar = {
        # As for zappos50k, with 15 triplets of each task in a batch.
        "paper": paper_protocol(60),
        # In so few steps Adam learns three times as much as the paper's Adagrad does.
        "world": TrainingProtocol(name="world", epochs=3, batch=60, lr=0.002, schedule="cosine", seeds=3),
        "quick": TrainingProtocol(name="quick", epochs=2, batch=60, lr=0.002, schedule="cosine", images=2400, seeds=2),
    }
    name = "shoes-mini"
    world = "shoes-mini"
    numbers = ("images",)
    find_faults = staticmethod(find_faults)
    paper = "drawn here; tasks: Veit et al., Conditional Similarity Networks, CVPR 2017"

    def draw(self, folder: Path, seed: int, say: Callable[[str], None]) -> None:
        write_world(folder, images=self.options.images, seed=seed, say=say)
