"""CelebA in small: a world of faces that is drawn here, in the very same format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mtbench.contract import TrainingProtocol, option

from ..drawn import Drawn
from ..triplets import paper_protocol
from ..worlds.faces import find_faults, write_world
from .dataset import RECIPES, CelebaOptions, Faces, Labels, Recipe
from .retrieval import CelebaRetrieval, RetrievalOptions
from .vocabulary import DRAWN, EIGHT, SEVEN, TWENTY

__all__ = ["FacesMini", "FacesMiniLabels"]

TRAIN, VAL, TEST = 4500, 500, 1000
SETS = {"8": EIGHT, "7": SEVEN, "20": TWENTY, "38": DRAWN}


@dataclass(frozen=True, kw_only=True)
class DrawnOptions(RetrievalOptions):
    size: int = option(64, "side of the square that pictures are resized to, in pixels", low=16, high=512)
    triplets: int = option(2000, "triplets of each task to train on", low=1, high=1_000_000)
    test_triplets: int = option(500, "triplets of each task to test and to validate on", low=1, high=1_000_000)
    attributes: str = option(
        "8",
        "attributes that are tasks: 8 of this dataset's own, 7 or 20 of Zhao et al. (2018), or all 38 that are drawn",
        choices=tuple(SETS),
    )
    train: int = option(TRAIN, "pictures to train on that are drawn", low=1, high=170_000)
    val: int = option(VAL, "pictures to validate on that are drawn", low=1, high=20_000)
    test: int = option(TEST, "pictures to test on that are drawn", low=1, high=20_000)


@dataclass(frozen=True, kw_only=True)
class DrawnLabelsOptions(CelebaOptions):
    train: int = option(TRAIN, "pictures to train on that are drawn", low=1, high=170_000)
    val: int = option(VAL, "pictures to validate on that are drawn", low=1, high=20_000)
    test: int = option(TEST, "pictures to test on that are drawn", low=1, high=20_000)


class _Drawn(Drawn, Faces):
    """Faces that are drawn here. Both datasets of them read the same pictures."""

    world = "faces-mini"
    numbers = ("train", "val", "test")
    find_faults = staticmethod(find_faults)

    def draw(self, folder: Path, seed: int, say: Callable[[str], None]) -> None:
        options = self.options
        write_world(folder, train=options.train, val=options.val, test=options.test, seed=seed, say=say)


class FacesMini(_Drawn, CelebaRetrieval):
    """CelebA in small: 4,500 + 1,000 drawn faces, retrieval by 8 attributes.

    `mtbench data prepare faces-mini` draws them, in minutes. They are in the format of CelebA and are read by the same
    code. `attributes` chooses other sets of tasks.
    """

    Options = DrawnOptions
    default_backbone = "retrieval:width=.25:decay=.9"
    protocols: ClassVar = {
        # As for celeba20, with 8 triplets of each of 8 tasks in a batch.
        "paper": paper_protocol(64),
        # In so few steps Adam learns three times as much as the paper's Adagrad does.
        "world": TrainingProtocol(name="world", epochs=3, batch=64, lr=0.002, schedule="cosine", seeds=3),
        "quick": TrainingProtocol(name="quick", epochs=2, batch=64, lr=0.002, schedule="cosine", images=3200, seeds=2),
    }
    name = "faces-mini"
    source = ""
    paper = "drawn here; tasks: Zhao et al., A Modulation Module for Multi-task Learning, ECCV 2018"

    @property
    def attributes(self) -> Sequence[str]:
        return SETS[self.options.attributes]


class FacesMiniLabels(_Drawn, Labels):
    """CelebA in small: 4,500 + 1,000 drawn faces with 38 binary tasks, the attributes that are drawn."""

    Options = DrawnLabelsOptions
    default_backbone = "resnet18:width=.25"
    protocols: ClassVar = {
        "paper": TrainingProtocol(
            name="paper", epochs=100, batch=256, lr=5e-4, schedule="step:every=10:factor=.85", seeds=3
        ),
        "quick": TrainingProtocol(name="quick", epochs=3, batch=32, lr=1e-3, images=2000, seeds=3),
        "world": TrainingProtocol(name="world", epochs=14, batch=32, lr=1e-3, curve="5", seeds=3),
    }
    name = "faces-mini-labels"
    source = ""
    paper = "drawn here; attributes: Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015"

    @property
    def attributes(self) -> Sequence[str]:
        return DRAWN

    @property
    def recipe(self) -> Recipe:
        return RECIPES[self.options.recipe]
