"""The figures of a page on retrieval: queries with their nearest images, and triplets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from mtbench.contract import Split, Task
from mtbench.explanation.examples import Case
from mtbench.explanation.figures import WORDS, picture
from mtbench.explanation.retrieval.embedded import Embedded
from mtbench.report.figure.examples import answer
from mtbench.report.figure.sheet import COLUMNS, RIGHT, WRONG, Line, Panel, Sheet
from mtbench.report.page.sentences import QUICK
from mtbench.report.text import wrap

__all__ = ["NEAREST", "ROLES", "TASKS", "Album", "with_query"]

NEAREST = COLUMNS - 1
"""Number of images beside a query."""
TASKS = 8
"""Largest number of tasks for one query."""
RANKED = "Nearest first, with distances. Blue frames: of the class of the query; orange ones: of another class."
COMPARED = "With distances from the anchor. Blue frames: the positive is nearer; orange ones: it is not."
ROLES = ("anchor", "positive", "negative")


@dataclass(frozen=True, kw_only=True)
class Album:
    """The material of the figures.

    Attributes:
        tasks: all tasks of the network.
        split: the split of triplets.
        title: the first words of every sheet.
        quick: True if the run is a preview, which every figure states.
    """

    tasks: tuple[Task, ...]
    split: Split
    title: str
    quick: bool

    def of_queries(self, found: Embedded, cases: Sequence[Case]) -> Sheet:
        """Return the sheet of a task's queries: each in a line, with the images that are nearest to it."""
        lines = []
        for case in cases:
            for number, query in enumerate(case.members.tolist()):
                panels = [self._query(found, query, "query"), *self._neighbors(found, query)]
                lines.append(Line(panels=panels, heading="" if number else case.name))
        return Sheet(title=self._title(f"nearest images, task {self._named(found)}"), lines=lines)

    def of_triplets(self, found: Embedded, cases: Sequence[Case]) -> Sheet:
        """Return the sheet of a task's triplets, two in a line."""
        lines = []
        for case in cases:
            panels = [panel for index in case.members.tolist() for panel in self._triplet(found, index)]
            for start in range(0, len(panels), COLUMNS):
                heading = "" if start else case.name
                lines.append(Line(panels=panels[start : start + COLUMNS], heading=heading))
        return Sheet(title=self._title(f"triplets, task {self._named(found)}", COMPARED), lines=lines)

    def of_query(self, found: Sequence[Embedded], number: int, says: str) -> Sheet:
        """Return the sheet of one image as the query of several tasks, a line each; at most the first `TASKS` tasks."""
        lines = []
        for each, query in with_query(found, number)[:TASKS]:
            panels = [self._query(each, query, self.tasks[each.index].name), *self._neighbors(each, query)]
            lines.append(Line(panels=panels))
        return Sheet(title=self._title(f"nearest images of one query for each task, {says}"), lines=lines)

    def _title(self, of: str, shown: str = RANKED) -> str:
        return "\n".join([wrap(f"{self.title}: {of}", 95), *[QUICK] * self.quick, shown])

    def _named(self, found: Embedded) -> str:
        task = self.tasks[found.index]
        return f"{task.name} ({task.question})" if task.question else task.name

    def _query(self, found: Embedded, query: int, above: str) -> Panel:
        ranking = found.ranking
        precision = 100 * float(ranking.precisions[query])
        number = int(ranking.queries[query])
        words = (*self._class(found, int(ranking.query_classes[query])), f"precision {precision:.0f} %")
        return self._panel(found, number, above, (f"image {number}", *words))

    def _neighbors(self, found: Embedded, query: int) -> Iterator[Panel]:
        ranking = found.ranking
        for place, candidate in enumerate(ranking.nearest(query, NEAREST), start=1):
            number = int(ranking.candidates[candidate])
            right = bool(ranking.relevant[query, candidate])
            tied = ("equally far as another",) if ranking.is_tied(query, candidate) else ()
            words = (
                f"{'right' if right else 'wrong'}, {float(ranking.distances[query, candidate]):.3f}",
                *self._class(found, int(ranking.candidate_classes[candidate])),
                *tied,
            )
            yield self._panel(found, number, f"{place}. image {number}", words, right)

    def _triplet(self, found: Embedded, index: int) -> Iterator[Panel]:
        images, classes = found.images[index].tolist(), found.classes[index].tolist()
        distances = ["", *(f"{value:.3f}" for value in found.distances[index].tolist())]
        right = bool(found.right[index])
        for role, number, label, distance in zip(ROLES, images, classes, distances, strict=True):
            words, anchor = self._class(found, label), role == ROLES[0]
            said = words if anchor else [f"{'right' if right else 'wrong'}, {distance}", *words]
            yield self._panel(found, number, f"{role}, image {number}", said, None if anchor else right)

    def _class(self, found: Embedded, label: int) -> list[str]:
        return wrap(_class_name(self.tasks[found.index], label), WORDS).split("\n")

    def _panel(
        self, found: Embedded, number: int, above: str, below: Sequence[str], right: bool | None = None
    ) -> Panel:
        """Return the picture of an image by its number; `right` is None if it is neither right nor wrong."""
        return Panel(
            image=picture(self.split, found.inputs[number]),
            above=wrap(above, WORDS).split("\n")[0],
            below=tuple(below),
            wrong=right is False,
            frame="" if right is None else RIGHT if right else WRONG,
        )


def _class_name(task: Task, label: int) -> str:
    """Return the task and the name of an image's class, or its number where classes have no names."""
    return "class unknown" if label < 0 else f"{task.name} {answer(task, label)}"


def with_query(found: Sequence[Embedded], number: int) -> list[tuple[Embedded, int]]:
    """Return the tasks that list an image as a query, and its index among the queries of each."""
    listed: list[tuple[Embedded, Tensor]] = [
        (each, (each.ranking.queries == number).nonzero().flatten()) for each in found
    ]
    return [(each, int(places[0])) for each, places in listed if len(places)]
