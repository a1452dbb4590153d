"""CUB-200-2011 in small: a world that is drawn here, in the very same format."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mtbench.contract import TrainingProtocol, option

from ..drawn import Drawn
from ..worlds.birds import find_faults, write_world
from .dataset import Birds, BirdsOptions

__all__ = ["BirdsMini", "BirdsMiniOptions"]

TRAIN, TEST, SPECIES = 4750, 1000, 50


@dataclass(frozen=True, kw_only=True)
class BirdsMiniOptions(BirdsOptions):
    size: int = option(64, "side of the square that pictures are resized to, in pixels", low=32, high=1024)
    train: int = option(TRAIN, "pictures to train on that are drawn", low=1, high=70_000)
    test: int = option(TEST, "pictures to test on that are drawn", low=1, high=15_000)
    species: int = option(SPECIES, "species of the birds that are drawn", low=1, high=200)


class BirdsMini(Drawn, Birds):
    """CUB-200-2011 in small: 4,750 + 1,000 drawn birds, with the 12 tasks of cub200.

    `mtbench data prepare birds-mini` draws them, in minutes. They are in the format of CUB-200-2011 and are read by the
    same code.
    """

    Options = BirdsMiniOptions
    default_backbone = "resnet18:width=.25"
    protocols: ClassVar = {
        # As for cub200, at which little is learned from so few pictures.
        "paper": TrainingProtocol(name="paper", epochs=200, batch=128, lr=1e-4, seeds=3),
        "quick": TrainingProtocol(name="quick", epochs=3, batch=32, lr=1e-3, images=2000, seeds=3),
        # Chosen on validation with `td:loc_loss=1`, which learned no more at 3e-3 or with batches of 16. Networks that
        # answer one task at a time use a twelfth of the labels in an epoch: by then they know where parts are, and of
        # colors little more than the majority classes. Their evaluation takes twice as long as an epoch.
        "world": TrainingProtocol(name="world", epochs=14, batch=32, lr=1e-3, curve="5", seeds=3),
    }
    name = "birds-mini"
    world = "birds-mini"
    numbers = ("train", "test", "species")
    find_faults = staticmethod(find_faults)
    paper = "drawn here; tasks: Levi & Ullman, Multi-Task Learning by a Top-Down Control Network, 2020"

    def draw(self, folder: Path, seed: int, say: Callable[[str], None]) -> None:
        options: BirdsMiniOptions = self.options
        write_world(folder, train=options.train, test=options.test, species=options.species, seed=seed, say=say)
