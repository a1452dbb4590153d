"""The page on a run: a table of the cases of its answers, and figures of some answers of each case."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from mtbench.contract import Metric, Task
from mtbench.explanation.answers import Answers
from mtbench.explanation.examples import RULE, Case
from mtbench.explanation.maps import Maps
from mtbench.explanation.trained import TrainedRun
from mtbench.report.page.latex import escape_latex, render_latex
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.markdown import escape_markdown, render_markdown
from mtbench.report.page.words import DASH, plain
from mtbench.report.text import fixed, listed, slug
from mtbench.train.diagnostics.pointing import FAR

__all__ = [
    "Shown",
    "footnotes_of",
    "frame_of",
    "images_title",
    "page_of",
    "recorded",
    "render_page_latex",
    "render_page_markdown",
    "short_stem_of",
    "stem_of",
    "title_of",
]

UNLIKE = 0.5
"""Largest difference from the record that rounding on another machine may cause.

For metrics in % it is in percentage points, for others in % of their values.
"""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A figure of the page.

    Attributes:
        name: name of its files, without their ending.
        title: its title.
        caption: further sentences; may be empty.
    """

    name: str
    title: str
    caption: str = ""

    @property
    def text(self) -> str:
        """The title and the caption in sentences."""
        return f"{self.title}. {self.caption}".strip()


def title_of(run: TrainedRun) -> str:
    """Return the run in words."""
    titles = run.record.spec.titles
    return f"{titles.dataset}, protocol {titles.protocol}, {titles.method}, seed {run.record.spec.seed}"


def stem_of(run: TrainedRun) -> str:
    """Return the beginning of the names of all files, which is unique to the run."""
    return f"{slug(run.record.spec.titles.dataset)}-{short_stem_of(run)}"


def short_stem_of(run: TrainedRun) -> str:
    """Return `stem_of` without the dataset."""
    spec = run.record.spec
    return f"{slug(spec.titles.method)}-seed-{spec.seed}-{spec.id}"


def page_of(run: TrainedRun, found: Sequence[Answers], cases: Sequence[Sequence[Case]], maps: Maps) -> Page:
    """Return the table of a page: a line per task with its accuracy, its cases, and the distances of its maps'
    peaks."""
    located = run.test.points is not None
    names = [case.name for case in cases[0]]
    extra = ("point unknown", "median distance") if located else ()
    lines = [plain(_line(run, each, of_task, located)) for each, of_task in zip(found, cases, strict=True)]
    caption, *details = _caption(maps, located)
    return Page(
        title=f"Attention maps: {title_of(run)}",
        label=f"{stem_of(run)}-explain",
        quick=run.record.spec.protocol.name == "quick",
        layout=Layout(
            header=("task", "labels", "accuracy %", "in record", *names, *extra), lines=tuple(lines), tasks=0, costs=0
        ),
        caption=(caption,),
        details=tuple(details),
        footnotes=footnotes_of(run, {each.index: _accuracy(each) for each in found if len(each.rows)}),
    )


def render_page_markdown(page: Page, figures: Sequence[Shown]) -> str:
    """Return the page for GitHub: the table, and the figures below it."""
    shown = (f"![{escape_markdown(each.title)}]({each.name}.png)\n\n{escape_markdown(each.text)}\n" for each in figures)
    return "\n".join([render_markdown(page), *shown])


def render_page_latex(page: Page, figures: Sequence[Shown]) -> str:
    """Return the page for LaTeX, with booktabs and graphicx."""
    shown = (
        f"\\begin{{figure\\mtbenchwide}}[p]\n\\centering\n\\includegraphics[width=\\linewidth,height=.85\\textheight,keepaspectratio]{{{each.name}.pdf}}\n"
        f"\\caption{{{escape_latex(each.text)}}}\n\\end{{figure\\mtbenchwide}}\n"
        for each in figures
    )
    return "\n".join([render_latex(page), *shown])


def frame_of(
    tasks: Sequence[Task], found: Sequence[Answers], cases: Sequence[Sequence[Case]], count: int
) -> pd.DataFrame:
    """Return one row per image on the sheets of tasks, in their order."""
    rows = [
        {
            "task": tasks[each.index].name,
            "case": case.name,
            "row": int(each.rows[index]),
            "true": int(each.truth[index]),
            "said": int(each.said[index]),
            "log_odds": float(each.log_odds[index]),
            **_located(each, index),
        }
        for each, of_task in zip(found, cases, strict=True)
        for case in of_task
        for index in case.members[:count].tolist()
    ]
    return pd.DataFrame(rows)


def _located(found: Answers, index: int) -> dict[str, float]:
    if found.points is None or found.peaks is None or found.distances is None:
        return {}
    (true_x, true_y), (peak_x, peak_y) = found.points[index].tolist(), found.peaks[index].tolist()
    distance = float(found.distances[index])
    return {"true_x": true_x, "true_y": true_y, "peak_x": peak_x, "peak_y": peak_y, "distance": distance}


def _line(run: TrainedRun, found: Answers, cases: Sequence[Case], located: bool) -> list[str]:
    task = run.tasks[found.index]
    count = len(found.rows)
    cells = [
        task.name,
        f"{count:,}",
        fixed(_accuracy(found)) if count else DASH,
        fixed(recorded(run, found.index)) if count else DASH,
        *(f"{len(case.members):,}" for case in cases),
    ]
    if not located:
        return cells
    if found.distances is None:
        return [*cells, DASH, DASH]
    known = found.distances[found.pointed]
    median = _median(known) if len(known) else math.inf
    return [*cells, f"{count - len(known):,}", f"{fixed(100 * median, 1)} %" if math.isfinite(median) else DASH]


def _accuracy(found: Answers) -> float:
    return 100 * float(found.right.double().mean())


def _median(distances: Tensor) -> float:
    """Return the median; a map without a peak is farther than any other: infinite or NaN if half of them have none."""
    return float(distances.nan_to_num(torch.inf).double().quantile(0.5))


def _caption(maps: Maps, located: bool) -> tuple[str, ...]:
    where = (
        (
            f"The place is right if the map's peak is within {100 * FAR:g} % of the image's side from the true point; "
            "distances are fractions of that side, over images whose true point is known."
        ),
    )
    return (
        "Answers to the test images, with the weights that the record reports.",
        maps.says,
        *(where if located else ()),
        RULE,
        "Each map is colored from its smallest to its largest value, so that values of two maps cannot be compared.",
    )


def footnotes_of(run: TrainedRun, found: Mapping[int, float]) -> tuple[str, ...]:
    """Return notes on a run: that it is stale, that it differs from its record, and the tasks that are left out.

    Args:
        found: measured primary metric, by index of the task.
    """
    notes = []
    if run.status.state == "stale":
        notes.append(f"The run is stale: {run.status.why}.")
    unlike = [
        f"{run.tasks[index].kind.metrics[0].name} of {run.tasks[index].name}"
        for index, value in found.items()
        if _is_unlike(run.tasks[index].kind.metrics[0], value, recorded(run, index))
    ]
    if unlike:
        notes.append(f"Different from the record: {listed(unlike)}. The code or the data have changed since.")
    if run.others:
        notes.append(f"Left out, because they are of another kind: {listed(run.others)}.")
    return tuple(notes)


def _is_unlike(metric: Metric, found: float, known: float) -> bool:
    if math.isnan(found) and math.isnan(known):
        return False
    return not abs(found - known) <= UNLIKE * (1 if metric.unit == "%" else abs(known) / 100)


def recorded(run: TrainedRun, index: int) -> float:
    """Return the primary metric of a task in the run's record."""
    task = run.tasks[index]
    return run.record.value(task.name, task.kind.metrics[0].name)


def images_title(right: bool) -> str:
    """Return the title of a figure of whole images."""
    return f"Whole images with the {'most right' if right else 'most wrong'} answers"
