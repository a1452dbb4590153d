"""The figures of a page on maps: images of each task with truth, prediction and error, and images with all tasks."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Split
from mtbench.explanation.dense.measured import Maps, Measured
from mtbench.explanation.examples import Case
from mtbench.explanation.figures import PAGE, picture
from mtbench.report.figure.maps.palette import Picture
from mtbench.report.figure.maps.views import View, keys_of, view_of
from mtbench.report.figure.sheet import COLUMNS, Line, Panel, Sheet, height_of
from mtbench.report.page.sentences import QUICK
from mtbench.report.text import brief, fixed, wrap

__all__ = ["Album", "in_words"]

TASKS = COLUMNS - 1
"""Largest number of tasks side by side, with the image in front."""
DEGREE = "\N{DEGREE SIGN}"
WORDS = {1: 120, 2: 60, 3: 44, 4: 36, 5: 28, 6: 22}
"""Number of characters above a picture, by the number of pictures in a line."""


@dataclass(frozen=True, kw_only=True)
class Album:
    """The material of the figures.

    Attributes:
        split: the split of the images.
        maps: a function from the index of a task and rows (n,) of the split to their maps.
        title: the first words of every sheet.
        quick: True if the run is a preview, which every figure states.
    """

    split: Split
    maps: Callable[[int, Tensor], Maps]
    title: str
    quick: bool

    def of_task(self, found: Measured, cases: Sequence[Case]) -> Sheet:
        """Return the sheet of a task: each image in a line, with truth, prediction and error."""
        cases = [case for case in cases if len(case.members)]
        if not cases:
            return Sheet(title="", lines=())
        members = torch.cat([case.members for case in cases])
        names = [case.name for case in cases for _ in case.members]
        view = self._view(found, found.rows[members])
        lines = []
        for place, (name, index) in enumerate(zip(names, members.tolist(), strict=True)):
            row = int(found.rows[index])
            panels = [
                self._panel(self._image(row), 4, f"{name}: test image {row}"),
                self._panel(view.truth_picture(place), 4, "truth"),
                self._panel(view.prediction_picture(place), 4, f"prediction, {_value(found, index)}"),
                self._panel(view.error_picture(place), 4, view.error),
            ]
            lines.append(Line(panels=panels))
        return Sheet(
            title=self._title(f"{found.task.name} by {found.metric.name}"),
            lines=lines,
            columns=4,
            keys=keys_of([view], errors=True),
        )

    def of_images(self, found: Sequence[Measured], rows: Tensor, ranks: Tensor, which: str, count: int) -> Sheet:
        """Return a sheet of whole images: in front each image, beside it the truths, below them the predictions.

        Args:
            rows: (m,) int64, images with a map of every task, in the order in which they are shown.
            ranks: (m,) their mean ranks.
            which: the end of the order that they are from, ``best`` or ``worst``.
            count: the largest number of images; fewer if a page has no room for more.
        """
        if not len(rows):
            return Sheet(title="", lines=())
        columns = 1 + min(TASKS, len(found))
        line = Line(panels=[self._panel(self._image(int(rows[0])), columns, "test image")])
        tall = 2 * math.ceil(len(found) / TASKS) * height_of(line, columns)
        chosen = rows[: max(1, min(count, int(PAGE / tall)))]
        views = [self._view(each, chosen) for each in found]
        lines = []
        for place, (row, rank) in enumerate(zip(chosen.tolist(), ranks.tolist(), strict=False)):
            words = f"mean rank {rank:.3g}"
            first = self._panel(self._image(row), columns, f"test image {row}, {words}", f"image {row}, {words[5:]}")
            lines += self._of_image(list(zip(found, views, strict=True)), place, row, first, columns)
        return Sheet(title=self._title(f"{which} mean rank"), lines=lines, columns=columns, keys=keys_of(views))

    def _of_image(
        self, shown: Sequence[tuple[Measured, View]], place: int, row: int, first: Panel, columns: int
    ) -> list[Line]:
        lines = []
        for start in range(0, len(shown), TASKS):
            truths: list[Panel | None] = [None if start else first]
            predictions: list[Panel | None] = [None]
            for each, view in shown[start : start + TASKS]:
                name, value = each.task.name, _value(each, _index(each, row))
                truths.append(self._panel(view.truth_picture(place), columns, f"{name}: truth", name))
                predictions.append(self._panel(view.prediction_picture(place), columns, f"prediction, {value}", value))
            lines += [Line(panels=truths), Line(panels=predictions)]
        return lines

    def _view(self, found: Measured, rows: Tensor) -> View:
        maps = self.maps(found.index, rows)
        return view_of(found.task, maps.truths, maps.predictions)

    def _title(self, of: str) -> str:
        return "\n".join([wrap(f"{self.title}: {of}", 95), *[QUICK] * self.quick])

    def _image(self, row: int) -> Picture:
        return picture(self.split, row if self.split.members is None else int(self.split.members[row, 0]))

    def _panel(self, image: Picture, columns: int, *above: str) -> Panel:
        """Return a picture with the first of some texts that fits above it, else with the last one, truncated."""
        fitting = [words for words in above if len(words) <= WORDS[columns]]
        return Panel(image=image, above=fitting[0] if fitting else brief(above[-1], WORDS[columns]))


def in_words(found: Measured, value: float) -> str:
    """Return a value of the primary metric in words, with its unit."""
    metric = found.metric
    if metric.unit:
        return f"{fixed(value, 1)}{'' if metric.unit == DEGREE else ' '}{metric.unit}"
    return f"{value:.3g} {found.task.unit}".rstrip()


def _value(found: Measured, index: int) -> str:
    return f"{found.metric.name} {in_words(found, float(found.primary[index]))}"


def _index(found: Measured, row: int) -> int:
    return int((found.rows == row).nonzero()[0])
