"""The figures of a page: each task with its cases, and whole images with all their tasks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbench.contract import Split, Task
from mtbench.explanation.answers import Answers
from mtbench.explanation.examples import Case, whole_images
from mtbench.explanation.maps import Maps, enlarge
from mtbench.report.figure.sheet import COLUMNS, Line, Panel, Sheet, height_of, overlaid
from mtbench.report.page.sentences import QUICK
from mtbench.report.text import wrap

__all__ = ["PAGE", "TASKS", "WORDS", "Album", "picture"]

PAGE = 9.3
"""Largest height in inches of a sheet of whole images, so that it fits a page of a paper."""
TASKS = 3 * (COLUMNS - 1)
"""Largest number of tasks of a whole image: three lines, with the image itself in front."""
NOWHERE, EVEN = "empty map", "constant map"
"""Words below an empty map: of gradients, and of the network itself."""
WORDS = 21
"""Number of characters in a line of words below a picture."""


@dataclass(frozen=True, kw_only=True)
class Album:
    """The material of the figures.

    Attributes:
        tasks: all tasks of the dataset.
        split: the split that the answers are about.
        maps: the source of maps.
        title: the first words of every sheet.
        count: images per case.
        quick: True if the run is a preview, which every figure states.
    """

    tasks: tuple[Task, ...]
    split: Split
    maps: Maps
    title: str
    count: int
    quick: bool

    def of_task(self, found: Answers, cases: Sequence[Case]) -> Sheet:
        """Return the sheet of a task: per case its images, below them the same under the map."""
        task = self.tasks[found.index]
        lines: list[Line] = []
        for case in cases:
            chosen = case.members[: self.count]
            more = f"{len(case.members):,} of {len(found.rows):,}; the most confident of each true class first"
            for start in range(0, len(chosen), COLUMNS):
                part = chosen[start : start + COLUMNS]
                heading = f"{case.name}: {more}" if not start else ""
                images, maps = self._panels(found, part)
                lines += [Line(panels=images, heading=heading), Line(panels=maps)]
        question = f" ({task.question})" if task.question else ""
        return Sheet(title=self._title(f"task {task.name}{question}"), lines=lines)

    def of_images(self, found: Sequence[Answers], *, right: bool) -> Sheet:
        """Return a sheet of whole images: in front each image, beside it the maps of its tasks; as many as fit.

        If there are more than `TASKS` tasks the first ones are shown, which the title says.
        """
        lines: list[Line] = []
        rows = whole_images(found, right=right)[: self.count].tolist()
        beside = max(1, COLUMNS // (1 + len(found)))  # images in a line, where they have few tasks
        for start in range(0, len(rows), beside):
            parts = [self._of_image(found, row) for row in rows[start : start + beside]]
            more = parts[0] if beside == 1 else [Line(panels=[panel for [line] in parts for panel in line.panels])]
            if lines and sum(map(height_of, [*lines, *more])) > PAGE:
                break
            lines += more
        shown = f"; the first {TASKS} of {len(found)} tasks" if len(found) > TASKS else ""
        title = f"images with the {'most right' if right else 'most wrong'} answers{shown}"
        return Sheet(title=self._title(title), lines=lines)

    def _title(self, of: str) -> str:
        """Return the title of a sheet; it names the maps, since a figure may stand alone."""
        shown = f"With each image its {self.maps.name}, yellow where it is highest."
        return "\n".join([wrap(f"{self.title}: {of}", 95), *[QUICK] * self.quick, shown])

    def _of_image(self, found: Sequence[Answers], row: int) -> list[Line]:
        panels: list[Panel | None] = [Panel(image=self._image(row), above=f"test image {row}")]
        for number, each in enumerate(found[:TASKS]):
            if number and number % (COLUMNS - 1) == 0:
                panels.append(None)
            labeled = (each.rows == row).nonzero().flatten()
            above = self.tasks[each.index].name
            panels += self._panels(each, labeled, above)[1] or [
                Panel(image=self._image(row), above=above, below=("no label",))
            ]
        return [Line(panels=panels[start : start + COLUMNS]) for start in range(0, len(panels), COLUMNS)]

    def _panels(self, found: Answers, chosen: Tensor, above: str = "") -> tuple[list[Panel], list[Panel]]:
        """Return the images of some answers, and the same images under the map with the answer below."""
        if not len(chosen):
            return [], []
        rows, said = found.rows[chosen], found.said[chosen]
        device = self.split.defined.device
        batch = self.split.batch(rows.to(device))
        assert isinstance(batch.inputs, Tensor)
        maps = self.maps.of(batch.inputs, found.index, said.to(device))
        points = None if found.points is None else found.points[chosen]
        images, overlays = [], []
        for number, (row, peak) in enumerate(zip(rows.tolist(), maps.peaks(), strict=True)):
            image, index = self._image(row), int(chosen[number])
            true = None if points is None else _point(points[number])
            heat = enlarge(maps.values[number].numpy(), maps.grid, image.shape[:2])
            empty = (NOWHERE if self.maps.gradient_based else EVEN,) if not heat.any() else ()
            images.append(Panel(image=image, above=f"test image {row}", true=true))
            overlays.append(
                Panel(
                    image=overlaid(image, heat),
                    above=wrap(above, WORDS).split("\n")[0],
                    below=(*self._words(found, index), *empty),
                    wrong=not bool(found.right[index]),
                    true=true,
                    peak=None if points is None else _point(peak),  # beside nothing it would hide the map
                )
            )
        return images, overlays

    def _words(self, found: Answers, index: int) -> tuple[str, ...]:
        task = self.tasks[found.index]
        said, truth = (_name(task, int(each[index])) for each in (found.said, found.truth))
        sure = percent(float(found.log_odds[index]))
        return (*wrap(f"said {said}, {sure}", WORDS).split("\n"), *wrap(f"true {truth}", WORDS).split("\n"))

    def _image(self, row: int) -> NDArray[np.float64]:
        return picture(self.split, row if self.split.members is None else int(self.split.members[row, 0]))


def picture(split: Split, index: int) -> NDArray[np.float64]:
    """Return input `index` as a picture (H, W, 3) from 0 to 1; floats are scaled from their minimum and maximum."""
    assert isinstance(split.inputs, Tensor)
    image = split.inputs[index].cpu()
    low, high = (0.0, 255.0) if image.dtype == torch.uint8 else tuple(map(float, image.aminmax()))
    scaled = (image.double() - low) / max(high - low, 1e-12)
    return scaled.expand(3, -1, -1).permute(1, 2, 0).numpy()


def percent(log_odds: float) -> str:
    """Return the probability of given log-odds, in words: ``97 %``, ``> 99.9 %``."""
    probability = 100 / (1 + np.exp(-log_odds))
    if probability > 99.9:
        return "> 99.9 %"
    return f"{probability:.1f} %" if probability > 99 else f"{probability:.0f} %"


def _name(task: Task, label: int) -> str:
    return task.answers[label] if task.answers else str(label)


def _point(point: Tensor) -> tuple[float, float] | None:
    return None if bool(point.isnan().any()) else (float(point[0]), float(point[1]))
