"""Findings of searches, as a report has them: for each a page, its numbers, and its figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from mtbench.contract import TrainingProtocol
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.studies import StudyRuns, home
from mtbench.report.exhibits.pareto.data import TradeOff, trade_off
from mtbench.report.exhibits.pareto.figure import draw_scatter, draw_validation
from mtbench.report.exhibits.pareto.page import pareto_page
from mtbench.report.exhibits.pareto.rows import pareto_frame
from mtbench.report.exhibits.tuned.figure import draw_tuned
from mtbench.report.exhibits.tuned.page import Tuned, tuned_frame, tuned_methods, tuned_page
from mtbench.report.page.layout import Page
from mtbench.report.text import slug

__all__ = ["StudyExhibit", "scatters", "study_exhibits"]


@dataclass(frozen=True, kw_only=True)
class StudyExhibit:
    """The findings of one study that has an objective per task, or of several that have the mean as theirs.

    Attributes:
        folder: that of the dataset in reports.
        page: the table in words; its label is the name of its file.
        frame: the numbers behind it, at full precision.
        draw: makes the figures, by what follows the label in their files' names.
    """

    folder: str
    page: Page
    frame: pd.DataFrame
    draw: Callable[[], Mapping[str, Figure]]


def study_exhibits(
    studies: Sequence[StudyRuns], comparisons: Sequence[Comparison], prefix: str = ""
) -> list[StudyExhibit]:
    """One for each study with an objective per task; one for all of a dataset and protocol that optimize the mean.

    Args:
        comparisons: among them those of the same datasets and protocols, beside whose methods the studies belong.
        prefix: of labels, in the place of dataset and protocol.
    """
    found: list[StudyExhibit] = []
    taken = set[str]()
    for each in (*_per_task(studies, comparisons, prefix), *_tuned(studies, comparisons, prefix)):
        label, count = each.page.label, 2
        while label in taken:
            label, count = f"{each.page.label}-{count}", count + 1
        taken.add(label)
        found.append(replace(each, page=replace(each.page, label=label)))
    return found


def scatters(comparison: Comparison) -> dict[str, Figure]:
    """The methods of a comparison alone in the space of the tasks."""
    return _pages("scatter", draw_scatter(trade_off(None, comparison))) if comparison.tasks else {}


def _per_task(studies: Sequence[StudyRuns], comparisons: Sequence[Comparison], prefix: str) -> Iterator[StudyExhibit]:
    for found in studies:
        if found.study.objective == "mean":
            continue
        comparison = home(found, comparisons)
        trade = trade_off(found, comparison, studies)
        label = f"{prefix or f'{comparison.folder}-{comparison.slug}'}-search-{slug(found.title)}"

        yield StudyExhibit(
            folder=comparison.folder,
            page=replace(pareto_page(found, trade), label=label),
            frame=pareto_frame(found, trade),
            draw=partial(_both_splits, trade),
        )


def _tuned(studies: Sequence[StudyRuns], comparisons: Sequence[Comparison], prefix: str) -> Iterator[StudyExhibit]:
    groups: dict[tuple[str, TrainingProtocol], list[StudyRuns]] = {}
    for found in studies:
        if found.study.objective == "mean":
            groups.setdefault((found.study.dataset, found.protocol), []).append(found)
    for group in groups.values():
        comparison, methods = home(group[0], comparisons), tuned_methods(group)

        yield StudyExhibit(
            folder=comparison.folder,
            page=replace(
                tuned_page(comparison, methods),
                label=f"{prefix or f'{comparison.folder}-{comparison.slug}'}-tuned",
            ),
            frame=tuned_frame(comparison, methods),
            draw=partial(_search, comparison, methods),
        )


def _both_splits(trade: TradeOff) -> dict[str, Figure]:
    return _pages("scatter", draw_scatter(trade)) | _pages("validation", draw_validation(trade))


def _search(comparison: Comparison, methods: Sequence[Tuned]) -> dict[str, Figure]:
    return {"search": draw_tuned(comparison, methods)}


def _pages(name: str, figures: Sequence[Figure]) -> dict[str, Figure]:
    return {name if number == 1 else f"{name}-{number}": figure for number, figure in enumerate(figures, start=1)}
