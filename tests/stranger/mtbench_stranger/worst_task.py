"""Accuracy of each method on its worst task: a table, its numbers and a bar chart."""

from collections.abc import Iterator
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.figure.style import new_figure, paper_style
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import plain


class WorstTask(Exhibit):
    """Accuracy of each method on its worst task."""

    def show(self, results: Results) -> Iterator[Shown]:
        for comparison in results.comparisons:
            tasks, seeds = comparison.tasks, comparison.seeds
            means = {each.title: each.tested(tasks, seeds).mean(axis=0) for each in comparison.methods}  # (T,) each
            worst = pd.Series({title: values.min() for title, values in means.items()}, name="accuracy")
            if worst.isna().any() or {task.metric for task in tasks} != {"accuracy"}:
                continue  # a run is missing, or tasks are measured in another way
            stem = f"{results.stem(comparison)}-worst"
            lines = tuple(plain((str(title), f"{value:.2f}")) for title, value in worst.items())
            page = Page(
                title=f"{comparison.dataset_title}: worst task",
                label=stem,
                quick=comparison.quick,
                layout=Layout(header=("method", "worst task"), lines=lines, tasks=1, costs=0),
                caption=("Test accuracy in %, mean over seeds, of the task on which it is lowest.",),
            )
            numbers = worst.rename_axis("method").reset_index()
            yield Shown(
                pages={stem: page}, numbers={stem: numbers}, figures={stem: partial(draw, worst)}, beside=comparison
            )


def draw(worst: pd.Series) -> Figure:
    """Draw a bar per method."""
    with paper_style():
        figure = new_figure(0.8 + 0.25 * len(worst))
        figure.subplots().barh(worst.index, worst)
    return figure
