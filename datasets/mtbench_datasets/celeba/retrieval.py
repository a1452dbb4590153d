"""Retrieval of faces by their attributes: triplets of images, a task for each attribute.

Shapes: N images, T tasks, K triplets of a task.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from mtbench.contract import Retrieval, Split, Task, TrainingProtocol, option

from ..files import sum_beside
from ..triplets import MEAN, STD, paper_protocol, triplet_split
from .annotations import Annotations
from .cache import Triplets, TripletsCache
from .dataset import PAPER, Faces, Recipe, frequency_line
from .vocabulary import NAMES, SEVEN, TWENTY, task_name

__all__ = ["Celeba7", "Celeba20", "Celeba40", "CelebaRetrieval", "RetrievalOptions"]

RECIPE = Recipe(crop=True, mean=MEAN, std=STD)
MOST = 5
"""Pairs of attributes that `prepare` prints."""


@dataclass(frozen=True, kw_only=True)
class RetrievalOptions:
    size: int = option(150, "side of the square that pictures are resized to, in pixels", low=16, high=512)
    triplets: int = option(30_000, "triplets of each task to train on", low=1, high=1_000_000)
    test_triplets: int = option(10_000, "triplets of each task to test and to validate on", low=1, high=1_000_000)
    anchor: str = option(
        "positive",
        "class of anchors: positive (they have the attribute) or both (every second one, about, has it)",
        choices=("positive", "both"),
    )


class CelebaRetrieval(Faces):
    """Faces that are near to each other if both have an attribute.

    The lists of triplets are drawn once for any method and seed: for each split from its own images alone, for
    each attribute by itself, so that an attribute has the same lists among 7 others and among 40. Anchor and positive
    are two images that have the attribute, and the negative is one that has not.
    """

    Options: ClassVar[type[Any]] = RetrievalOptions
    default_backbone = "retrieval"

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(
            Task(
                name=task_name(name),
                kind=Retrieval(),
                question=f"the same answer to: {name.replace('_', ' ').lower()}?",
                answers=("no", "yes"),
            )
            for name in self.attributes
        )

    @property
    def recipe(self) -> Recipe:
        return RECIPE

    def _labelled(self, annotations: Annotations, split: str, *, draw: bool) -> Split:
        lists = self._drawn(annotations).lists if draw else self._triplets.read(annotations.digest()).lists
        found = triplet_split(lists[split], self._classes(annotations), torch.empty(len(annotations), 0))
        return dataclasses.replace(found, mean=self.recipe.mean, std=self.recipe.std)

    def verify(self) -> list[tuple[Path, str]]:
        self._triplets.read(self._annotations.digest())
        path = self._triplets.path
        return [(path, f"sha256:{sum_beside(path)}"), *super().verify()]

    def _lines(self, annotations: Annotations) -> Sequence[str]:
        drawn = self._drawn(annotations)
        classes = self._classes(annotations)
        lines = [frequency_line(annotations, self.attributes)]
        for split, each in drawn.lists.items():
            lines.append(
                f"{split}: {len(each[0]):,} triplets of each of {len(each)} tasks, whose lists have the sha256 "
                f"{drawn.sums[split]}"
            )
        return [*lines, *correlation_lines(classes[annotations.rows("train")], self.attributes)]

    def _sums(self) -> Sequence[str]:
        sums = self._triplets.sums(self._annotations.digest())
        return [sums.get(split, "") for split in ("train", "test")]

    def _drawn(self, annotations: Annotations) -> Triplets:
        return self._triplets.prepare(annotations, self._files.files["attributes"])

    def _classes(self, annotations: Annotations) -> Tensor:
        """Return (N, T) int8, 1 where an image has the attribute of a task."""
        return torch.stack([annotations.has(name) for name in self.attributes], 1).to(torch.int8)

    @property
    def _triplets(self) -> TripletsCache:
        options = self.options
        return TripletsCache(
            stem=self.stem,
            name=str(len(self.attributes)),
            attributes=self.attributes,
            counts={"train": options.triplets, "val": options.test_triplets, "test": options.test_triplets},
            both=options.anchor == "both",
            root=self.root,
            owner=self.title,
        )


def correlation_lines(classes: Tensor, attributes: Sequence[str]) -> Iterator[str]:
    """Yield a line on the pairs of attributes that go together most, and one on those that exclude each other most.

    Args:
        classes: (n, T) of the training images, 0 or 1.
    """
    centered = classes.double() - classes.double().mean(0)
    norms = centered.square().sum(0).sqrt()
    phi = centered.T @ centered / (norms[:, None] * norms).clamp(min=1e-12)
    pairs = sorted(
        (float(phi[i, j]), attributes[i], attributes[j]) for i in range(len(phi)) for j in range(i + 1, len(phi))
    )
    for title, some in (("go together", pairs[::-1]), ("exclude each other", pairs)):
        sign = 1 if title == "go together" else -1
        shown = [f"{one} and {other} {value:+.2f}" for value, one, other in some[:MOST] if sign * value > 0]
        if shown:
            yield f"attributes that {title} most, with their correlation: {', '.join(shown)}"


def _protocols(tasks: int, each: int) -> dict[str, TrainingProtocol]:
    """Return protocols whose batches have `each` triplets of every task: of the paper, and a quick one."""
    paper = paper_protocol(tasks * each)
    return {
        "paper": paper,
        "quick": dataclasses.replace(paper, name="quick", epochs=2, images=100 * tasks, seeds=2),
    }


class Celeba7(CelebaRetrieval):
    """CelebA, retrieval by 7 attributes: those of the ablations of Zhao et al. (2018)."""

    protocols = _protocols(7, 8)
    name = "celeba7"
    paper = f"{PAPER}; tasks: Zhao et al., A Modulation Module for Multi-task Learning, ECCV 2018, Table 5"

    @property
    def attributes(self) -> Sequence[str]:
        return SEVEN


class Celeba20(CelebaRetrieval):
    """CelebA, retrieval by 20 attributes: those of the main table of Zhao et al. (2018)."""

    protocols = _protocols(20, 3)
    name = "celeba20"
    paper = f"{PAPER}; tasks: Zhao et al., A Modulation Module for Multi-task Learning, ECCV 2018, Table 3"

    @property
    def attributes(self) -> Sequence[str]:
        return TWENTY


class Celeba40(CelebaRetrieval):
    """CelebA, retrieval by all 40 attributes."""

    protocols = _protocols(40, 2)
    name = "celeba40"
    paper = f"{PAPER}; tasks: Zhao et al., A Modulation Module for Multi-task Learning, ECCV 2018"

    @property
    def attributes(self) -> Sequence[str]:
        return NAMES
