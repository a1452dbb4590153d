"""Attribute queries: an attribute of the one object that a few words name, or of its neighbor in the picture.

Shapes: N scenes, K places for objects, T queries.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import ClassVar

import torch
from torch import Tensor

from mtbench.contract import Classification, Task

from .questions import Answers, Questions
from .scenes import Scenes
from .vocabulary import ATTRIBUTES, WORDS, code

__all__ = ["ABOUT", "DIRECT", "NEIGHBOURS", "SLOTS", "Queries", "Query", "every_query", "neighbours"]

SLOTS = ("left", "right", "above", "below")
"""The neighbors of an object, by their direction in the picture."""
ABOUT = ("self", *SLOTS)
"""The objects of a question: the named one, or one of its neighbors."""

_SENTENCE = ("size", "color", "material", "shape")  # the order of words in English


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question, such as the shape of the object to the left of the large rubber thing.

    Attributes:
        words: values that the object is named by, of different attributes.
        asked: the attribute that is asked for.
        about: one of `ABOUT`.
    """

    words: tuple[str, ...]
    asked: str
    about: str = "self"

    @property
    def name(self) -> str:
        """The name of its task, such as ``large-rubber-left-shape``."""
        words = sorted(self.words, key=lambda word: _SENTENCE.index(ATTRIBUTES[code(word)[0]]))
        return "-".join([*words, *([] if self.about == "self" else [self.about]), self.asked])

    @property
    def task(self) -> Task:
        """The question as a task."""
        kind, values = self.asked, WORDS[self.asked]
        words = self.name.removesuffix(f"-{kind}").removesuffix(f"-{self.about}").replace("-", " ")
        thing = words if any(word in WORDS["shape"] for word in self.words) else f"{words} thing"
        where = {"self": "", "left": "what is left of ", "right": "what is right of "}
        place = where.get(self.about, f"what is {self.about} ")
        return Task(
            name=self.name,
            kind=Classification(classes=len(values)),
            question=f"What is the {kind} of {place}the {thing}?",
            answers=values,
        )


def _direct(table: dict[str, str]) -> Iterator[Query]:
    for asked, referents in table.items():
        for words in referents.split(", "):
            yield Query(words=tuple(words.split()), asked=asked)


NEIGHBOURS = tuple(
    Query(words=tuple(words.split()), asked=asked, about=slot)
    for words, asked in (
        ("purple", "shape"),
        ("large rubber", "shape"),
        ("rubber cylinder", "size"),
        ("metal cube", "size"),
        ("small sphere", "material"),
        ("green", "material"),
        ("large sphere", "material"),
        ("metal cylinder", "color"),
        ("small metal", "color"),
        ("large sphere", "color"),
    )
    for slot in SLOTS
)
"""The 40 queries of CLEVR-40: task 4 r + s asks about neighbor s of referent r."""

DIRECT = tuple(
    _direct(
        {
            "shape": (
                "purple, red metal, large rubber, small brown, red, large blue, large gray, small, rubber, large cyan"
            ),
            "size": (
                "rubber cylinder, metal cube, gray rubber, metal sphere, cyan, cylinder, blue metal, red, rubber, cube"
            ),
            "material": (
                "small sphere, large, gray cylinder, green, large brown, brown cube, large sphere, purple cylinder, "
                "small cube, red"
            ),
            "color": (
                "rubber, small rubber, metal cylinder, metal cube, small metal, large sphere, rubber cube, "
                "metal sphere, small cube, small sphere"
            ),
        }
    )
)
"""The 40 queries of CLEVR-40's other variant, about the named object itself."""


def every_query(about: tuple[str, ...] = ABOUT) -> tuple[Query, ...]:
    """Return all queries: 329 for each of `about`, up to 1,645.

    An object is named by values of one to three attributes, and each of the others is asked for: 45 by one value, 144
    by two, 140 by three.
    """
    named = [
        (words, asked)
        for count in range(1, len(ATTRIBUTES))
        for kinds in combinations(ATTRIBUTES, count)
        for words in product(*(WORDS[kind] for kind in kinds))
        for asked in ATTRIBUTES
        if asked not in kinds
    ]
    return tuple(Query(words=words, asked=asked, about=slot) for slot in about for words, asked in named)


@dataclass(frozen=True, kw_only=True)
class Queries(Questions):
    """Attribute queries; a query is undefined where not exactly one object is so named, or it has no such neighbor.

    Attributes:
        queries: in the order of tasks.
    """

    about_objects: ClassVar[bool] = True
    queries: tuple[Query, ...]

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(query.task for query in self.queries)

    def answer(self, scenes: Scenes) -> Answers:
        count = len(scenes)
        beside = neighbours(scenes)
        named: dict[tuple[str, ...], Tensor] = {}
        targets = torch.empty(len(self.queries), count, dtype=torch.int64)
        objects = torch.empty(len(self.queries), count, dtype=torch.int8)
        for task, query in enumerate(self.queries):
            if query.words not in named:
                named[query.words] = _named(scenes, query.words)
            place = named[query.words]
            if query.about != "self":
                near = beside[:, :, SLOTS.index(query.about)].gather(1, place.clamp(min=0)[:, None])[:, 0]
                place = near.where(place >= 0, -1)
            values = scenes.attributes[..., ATTRIBUTES.index(query.asked)].gather(1, place.clamp(min=0)[:, None])[:, 0]
            targets[task] = values.long().where(place >= 0, -1)
            objects[task] = place
        return Answers(targets=targets.T, objects=objects.T)


def _named(scenes: Scenes, words: tuple[str, ...]) -> Tensor:
    """(N,) int64, the place of the one object that has all these values; -1 where there is none or are several."""
    fits = scenes.present
    for word in words:
        column, value = code(word)
        fits = fits & (scenes.attributes[..., column] == value)
    return fits.int().argmax(1).where(fits.sum(1) == 1, -1)


def neighbours(scenes: Scenes) -> Tensor:
    """Return the place of each object's neighbor in each of `SLOTS`, (N, K, 4) int64, -1 where there is none.

    With (dx, dy) from the object to another one in pixels, x to the right and y down, the other one is in slot left
    where dx < 0 and |dy| < .5 |dx|, right likewise with dx > 0, above where dy < 0 and |dx| < .5 |dy|, below likewise
    with dy > 0. Of several the one with the greatest 1 / max(|dx| + |dy|, 1) is taken, and of equals the first
    (released code of Levi & Ullman 2021, which calls slot left "right").
    """
    found = []
    for rows in torch.split(scenes.pixels, 8192):  # so that the offsets take megabytes
        dx, dy = (rows[:, None, :] - rows[:, :, None]).unbind(3)  # (n, K, K), of j from i at [i, j]; NaN where empty
        beside, apart = dy.abs() < 0.5 * dx.abs(), dx.abs() < 0.5 * dy.abs()
        slots = torch.stack([(dx < 0) & beside, (dx > 0) & beside, (dy < 0) & apart, (dy > 0) & apart], dim=2)
        distance = (dx.abs() + dy.abs()).clamp(min=1)[:, :, None].where(slots, torch.inf)  # (n, K, 4, K)
        found.append(distance.argmin(3).where(slots.any(3), -1))
    return torch.cat(found)
