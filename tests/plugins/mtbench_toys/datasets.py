"""Nine tiny worlds, made from a fixed stream of random numbers: learnable in seconds on one core.

Every image is noise with one bright square in its upper and one in its lower half; tasks ask where they are.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from mtbench.contract import (
    Batches,
    Classification,
    Dataset,
    Depth,
    Flip,
    Normals,
    PeerConvention,
    Regression,
    Retrieval,
    ScaleCrop,
    Segmentation,
    Shift,
    SingleTaskValues,
    Split,
    Task,
    TrainingProtocol,
    option,
    stream,
)
from mtbench.errors import UsageError
from mtbench_toys.kinds import Triplet

SIDE = 28
SIZES = {"train": 96, "val": 48, "test": 48}
PLACES = 4


AUGMENTATIONS = {"none": (), "shift": (Shift(2),), "all": (ScaleCrop(), Flip(), Shift(2))}


@dataclass(frozen=True, kw_only=True)
class ToyOptions:
    augment: str = option("none", "motions of the training images", choices=tuple(AUGMENTATIONS))


class Toy(Dataset):
    """The shared part of the toys: images, and where the squares are."""

    Options = ToyOptions
    protocols: ClassVar[dict[str, TrainingProtocol]] = {
        "paper": TrainingProtocol(name="paper", epochs=3, batch=16, lr=3e-3, seeds=2),
        "quick": TrainingProtocol(name="quick", epochs=2, batch=16, lr=3e-3, images=64, seeds=2),
    }
    default_backbone = "lenet"
    input_shape = (1, SIDE, SIDE)

    def prepare(self, say: Callable[[str], None]) -> None:
        say("toys need no files")

    def verify(self) -> list[tuple[Path, str]]:
        return []

    def fingerprint_files(self) -> tuple[()]:
        return ()

    def fingerprint(self) -> str:
        return "toy-1"

    def load(self, split: str, *, validation: bool) -> Split:
        if split == "val" and not validation:
            raise UsageError("no validation split is held out.")
        images, places = draw(split)
        made = self.labelled(images, places, split)
        return dataclasses.replace(made, augment=AUGMENTATIONS[self.options.augment]) if split == "train" else made

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:
        """Return the split, from images (N, 1, 28, 28) and the columns (N, 2) of the squares in the upper and lower
        half."""
        raise NotImplementedError

    def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Split:
        defined = [task.kind.defined(target) for task, target in zip(self.tasks, targets, strict=True)]
        return Split(
            inputs=images,
            targets=targets,
            defined=torch.stack(defined, dim=1),
            mean=(0.2,),
            std=(0.3,),
            members=members,
        )


class AllTasks(Toy):
    """Two classification tasks, every label defined."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name=name, kind=Classification(classes=PLACES)) for name in ("upper", "lower"))

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:  # noqa: ARG002
        return self.split(images, (places[:, 0], places[:, 1]))


class Points(AllTasks):
    """The tasks of `AllTasks` with the squares' centers; at the last place a square is unknown, and has no center."""

    points = True

    @property
    def tasks(self) -> tuple[Task, ...]:
        kind = Classification(classes=PLACES, unknown=PLACES - 1)
        return tuple(Task(name=name, kind=kind) for name in ("upper", "lower"))

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:
        centers = torch.stack([7 * places + 2.5, torch.tensor([6.5, 20.5]).expand(len(places), 2)], dim=2)
        centers[places == PLACES - 1] = float("nan")
        return dataclasses.replace(super().labelled(images, places, split), points=centers)


class ThreeTasks(Toy):
    """Three classification tasks of different widths, a fifth of the labels undefined; the third depends on both
    others."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        widths = {"upper": PLACES, "lower": PLACES, "same": 2}
        return tuple(Task(name=name, kind=Classification(classes=width)) for name, width in widths.items())

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:
        labels = torch.stack([places[:, 0], places[:, 1], (places[:, 0] == places[:, 1]).long()], dim=1)
        labels[torch.rand(labels.shape, generator=stream(0, split, "hidden")) < 0.2] = -1
        return self.split(images, tuple(labels.unbind(1)))


class PartialLabels(Toy):
    """Three classification tasks of different widths, half of the labels undefined, one task rare."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        widths = {"upper": PLACES, "lower": PLACES, "same": 2}
        return tuple(Task(name=name, kind=Classification(classes=width)) for name, width in widths.items())

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:
        hidden = torch.rand(len(places), 3, generator=stream(0, split, "hidden")) < torch.tensor([0.5, 0.5, 0.95])
        labels = torch.stack([places[:, 0], places[:, 1], (places[:, 0] == places[:, 1]).long()], dim=1)
        labels[hidden] = -1
        return self.split(images, tuple(labels.unbind(1)))


class Numbers(Toy):
    """Two regression tasks, a tenth of the targets undefined."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name=name, kind=Regression()) for name in ("upper", "lower"))

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:
        targets = places.float() / (PLACES - 1)
        targets[torch.rand(targets.shape, generator=stream(0, split, "hidden")) < 0.1] = float("nan")
        return self.split(images, (targets[:, 0], targets[:, 1]))


class Maps(Toy):
    """Two dense tasks: which pixels are a square of the upper, of the lower half."""

    default_backbone = "toy-conv"

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name=name, kind=Segmentation(classes=2)) for name in ("upper", "lower"))

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:  # noqa: ARG002
        bright = (images.squeeze(1) > 160).long()
        upper, lower = bright.clone(), bright.clone()
        upper[:, SIDE // 2 :] = 0
        lower[:, : SIDE // 2] = -1  # nothing is said of the upper half
        return self.split(images, (upper, lower))


class Surfaces(Toy):
    """A dense task of each kind that ships: the class, the depth and the normal of each pixel.

    Classes are dark, gray and bright; bright pixels, the squares, are nearer than the others and turned to the right.
    Some pixels of every target are undefined, and so is every eighth normal map as a whole.
    """

    default_backbone = "toy-conv"
    conventions: ClassVar[dict[str, PeerConvention]] = {
        "last-ten": PeerConvention(
            source="a toy's code",
            protocols=("paper",),
            epoch="last10",
            batches=Batches(size=5),
            together=("miou", "pixel-accuracy"),
            average="metric",
            sign="drop",
            base="constants",
            constants=SingleTaskValues(
                source="a toy's table",
                backbone="toy-conv",
                outputs={"class": 3, "depth": 1, "normal": 3},
                size=(SIDE, SIDE),
                values={
                    "class": {"miou": "60.00", "pixel-accuracy": "80.00"},
                    "depth": {"absolute-error": "0.400", "relative-error": "0.30"},
                    "normal": {
                        "mean-angle": "20.00",
                        "median-angle": "16.00",
                        "within-11.25": "40.00",
                        "within-22.5": "64.00",
                        "within-30": "80.00",
                    },
                },
            ),
            clip="A toy's code clips nothing.",
        ),
        "own-start": PeerConvention(
            source="another toy's code", epoch="own-start", average="task", sign="gain", base="own-start"
        ),
        "best-test": PeerConvention(
            source="a third toy's code",
            epoch="test",
            batches=Batches(size=4, by_examples=True),
            together=("miou", "pixel-accuracy"),
            average="main",
            sign="gain",
            base="constants",
        ),
    }

    @property
    def tasks(self) -> tuple[Task, ...]:
        kinds = {"class": Segmentation(classes=3), "depth": Depth(), "normal": Normals()}
        return tuple(Task(name=name, kind=kind) for name, kind in kinds.items())

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:  # noqa: ARG002
        values = images.squeeze(1)  # (N, H, W)
        bright = values > 160
        classes = (values > 50).long() + bright.long()
        depth = 1.5 - bright.float()
        directions = torch.tensor([[0.0, -0.6, 0.8], [0.6, 0.0, 0.8]])
        normals = directions[bright.long()].movedim(-1, 1)  # (N, 3, H, W)
        hidden = torch.rand(3, *classes.shape, generator=stream(0, split, "hidden")) < 0.1
        classes[hidden[0]] = -1
        depth[hidden[1]] = 0
        normals = normals.where(~hidden[2][:, None], 0)
        normals[::8] = 0
        return self.split(images, (classes, depth, normals))


class Triplets(Toy):
    """Two retrieval tasks: images are near if their upper, or lower, squares are at one place."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name=name, kind=Triplet()) for name in ("upper", "lower"))

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:
        members, owner = self.members(places, split)
        return self.split(images, (owner == 0, owner == 1), members)

    def members(self, places: Tensor, split: str) -> tuple[Tensor, Tensor]:
        """Return the images (N, 3) of each triplet, and its task (N,)."""
        views, owners = [], []
        generator = stream(0, split, "triplets")
        for anchor in range(len(places)):
            for task in range(2):
                same = (places[:, task] == places[anchor, task]).nonzero().squeeze(1)
                other = (places[:, task] != places[anchor, task]).nonzero().squeeze(1)
                picks = [rows[torch.randint(len(rows), (1,), generator=generator)] for rows in (same, other)]
                views.append(torch.tensor([anchor, int(picks[0]), int(picks[1])]))
                owners.append(task)
        return torch.stack(views), torch.tensor(owners)


class Embeddings(Triplets):
    """The triplets of `Triplets`, for the kind of task that ships."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(Task(name=name, kind=Retrieval(size=8)) for name in ("upper", "lower"))

    def labelled(self, images: Tensor, places: Tensor, split: str) -> Split:
        members, owner = self.members(places, split)
        targets = Retrieval.targets(members, places[members, owner[:, None]])
        made = self.split(images, (targets, targets), members)
        return dataclasses.replace(made, defined=owner[:, None] == torch.arange(2), classes=places)


def draw(split: str) -> tuple[Tensor, Tensor]:
    """Return images (N, 1, 28, 28) uint8 and the places (N, 2) of their squares."""
    count = SIZES[split]
    generator = stream(0, split, "toys")
    images = torch.randint(0, 100, (count, 1, SIDE, SIDE), generator=generator, dtype=torch.uint8)
    places = torch.randint(0, PLACES, (count, 2), generator=generator)
    for image, (upper, lower) in zip(images, places.tolist(), strict=True):
        for top, place in ((4, upper), (18, lower)):
            image[0, top : top + 6, 7 * place : 7 * place + 6] = 230
    return images, places
