"""The datasets of CLEVR by name: two to four questions, 40 queries, and up to 1,645."""

from dataclasses import dataclass
from typing import ClassVar

from mtbench.contract import TrainingProtocol, option

from .dataset import Clevr, ClevrOptions
from .queries import ABOUT, DIRECT, NEIGHBOURS, Queries, every_query
from .questions import FourQuestions, Questions

__all__ = [
    "Clevr2",
    "Clevr3",
    "Clevr4",
    "Clevr4Options",
    "Clevr40",
    "Clevr40Options",
    "ClevrQuestions",
    "ClevrQuestionsOptions",
    "forty",
]

QUICK = TrainingProtocol(name="quick", epochs=2, batch=32, lr=1e-4, images=2000, seeds=2)
FOUR = {
    # Learning rate and batch of the paper, which had two GPUs. Its epochs are not given: 100 as in the later code.
    "paper": TrainingProtocol(name="paper", epochs=100, batch=128, lr=1e-4, seeds=3),
    "quick": QUICK,
}
FORTY = {
    # Batch and epochs of the released code of the later paper.
    "paper": TrainingProtocol(name="paper", epochs=100, batch=32, lr=1e-4, seeds=3),
    "quick": QUICK,
}


class Clevr2(Clevr):
    """CLEVR with 2 questions: exactly two cylinders (q1), a cube right of a sphere (q2); no is 0 and yes is 1."""

    protocols: ClassVar = FOUR
    name = "clevr2"

    def ask(self) -> Questions:
        return FourQuestions(count=2)


class Clevr3(Clevr):
    """CLEVR with 3 questions: those of clevr2, and the presence of a red sphere (q3); no is 0 and yes is 1."""

    protocols: ClassVar = FOUR
    name = "clevr3"

    def ask(self) -> Questions:
        return FourQuestions(count=3)


@dataclass(frozen=True, kw_only=True)
class Clevr4Options(ClevrOptions):
    no_sphere: str = option(
        "no", "answer to q4 where there is no sphere: no, or ignore (undefined)", choices=("no", "ignore")
    )


class Clevr4(Clevr):
    """CLEVR with 4 questions: those of clevr3, and the size of the leftmost sphere (q4): 1 if it is large, else 0."""

    Options = Clevr4Options
    protocols: ClassVar = FOUR
    name = "clevr4"

    def ask(self) -> Questions:
        return FourQuestions(count=4, ignore_no_sphere=self.options.no_sphere == "ignore")


@dataclass(frozen=True, kw_only=True)
class Clevr40Options(ClevrOptions):
    variant: str = option(
        "neighbour",
        "neighbour: an attribute of what is left, right, above or below of one of 10 objects; direct: an attribute of "
        "one of 40 objects itself",
        choices=("neighbour", "direct"),
    )


class Clevr40(Clevr):
    """CLEVR with 40 queries for an attribute of a uniquely named object's neighbor in the picture, or of itself.

    A query has no answer where not exactly one object is so named, or it has no such neighbor. `Split.points` has the
    position of the object that the answer is about, in pixels of the resized picture.
    """

    Options = Clevr40Options
    protocols: ClassVar = FORTY
    name = "clevr40"

    def ask(self) -> Questions:
        return forty(self.options.variant)


@dataclass(frozen=True, kw_only=True)
class ClevrQuestionsOptions(ClevrOptions):
    about: tuple[str, ...] = option(
        ABOUT,
        "the object itself, or its neighbours in the picture: 329 queries for each that is named, e.g. self/left",
        choices=ABOUT,
    )


class ClevrQuestions(Clevr):
    """CLEVR with every attribute query, 1,645 tasks: any attribute of any uniquely named object or of its neighbors.

    An object is named by values of one to three of its attributes, and each other attribute is asked for (45 + 144 +
    140 = 329), of the object itself and of its four neighbors. ``tasks=red-shape/large-sphere-left-color`` picks some,
    and ``about=self`` the 329 about the object itself. What is enumerated is as in the released code of Levi & Ullman
    (2021); the order is ours.
    """

    Options = ClevrQuestionsOptions
    protocols: ClassVar = FORTY
    name = "clevr-questions"

    def ask(self) -> Questions:
        return Queries(queries=every_query(tuple(dict.fromkeys(self.options.about))))


def forty(variant: str) -> Questions:
    """Return the questions of CLEVR-40 in the variant ``neighbour`` or ``direct``."""
    return Queries(queries=DIRECT if variant == "direct" else NEIGHBOURS)
