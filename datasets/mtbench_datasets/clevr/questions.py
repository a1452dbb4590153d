"""Questions about scenes, as tasks: the four of Levi & Ullman, answered with no (0) or yes (1).

Shapes: N scenes, K places for objects, T tasks.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mtbench.contract import Classification, Task

from .scenes import Scenes, leftmost
from .vocabulary import COLOR, SHAPE, SIZE, code

__all__ = ["Answers", "FourQuestions", "Questions"]

SPHERE, CUBE, CYLINDER = (code(word)[1] for word in ("sphere", "cube", "cylinder"))
RED, LARGE = code("red")[1], code("large")[1]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The labels of scenes.

    Attributes:
        targets: (N, T) int64, -1 where undefined.
        objects: (N, T) int8, the place of the object that each answer is about, -1 where undefined; None if questions
            are about whole scenes.
    """

    targets: Tensor
    objects: Tensor | None = None


class Questions(ABC):
    """A set of questions, each of them a task.

    Attributes:
        about_objects: True if each answer is about one object, so that `Answers.objects` are known.
    """

    about_objects: ClassVar[bool] = False

    @property
    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """The questions in the order of columns."""

    @abstractmethod
    def answer(self, scenes: Scenes) -> Answers:
        """Return the answers to all questions."""


@dataclass(frozen=True, kw_only=True)
class FourQuestions(Questions):
    """The first so many of the four questions of Levi & Ullman's experiment on CLEVR (2020, Table 3).

    Attributes:
        count: number of questions, 1 to 4.
        ignore_no_sphere: True if the fourth question is undefined without a sphere; False if its answer is no.
    """

    count: int
    ignore_no_sphere: bool = False

    @property
    def tasks(self) -> tuple[Task, ...]:
        asked = {
            "q1": "Are there exactly two cylinders?",
            "q2": "Is there a cube to the right of a sphere?",
            "q3": "Is there a red sphere?",
            "q4": "Is the leftmost sphere large?",
        }
        tasks = (
            Task(name=name, kind=Classification(classes=2), question=question, answers=("no", "yes"))
            for name, question in asked.items()
        )
        return tuple(tasks)[: self.count]

    def answer(self, scenes: Scenes) -> Answers:
        shape, color, size = (scenes.attributes[..., column] for column in (SHAPE, COLOR, SIZE))
        spheres, cubes = shape == SPHERE, shape == CUBE
        first = leftmost(scenes, spheres)  # (N,)
        is_large = size.gather(1, first.clamp(min=0)[:, None])[:, 0] == LARGE
        columns = [
            (shape == CYLINDER).sum(1) == 2,
            (scenes.right & spheres[:, :, None] & cubes[:, None, :]).any(2).any(1),
            (spheres & (color == RED)).any(1),
            is_large & (first >= 0),
        ]
        targets = torch.stack(columns, dim=1).long()
        if self.ignore_no_sphere:
            targets[first < 0, 3] = -1
        return Answers(targets=targets[:, : self.count])
