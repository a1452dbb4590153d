"""Accuracy of each method on its worst task: a table, its numbers and a bar chart."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.figure.style import new_figure, paper_style


class WorstTask(Exhibit):
    """Accuracy of each method on its worst task."""

    def show(self, results: Results) -> Iterator[Shown]:
        for comparison in results.comparisons:
            tasks, seeds = comparison.tasks, comparison.seeds
            if {task.metric for task in tasks} == {"accuracy"}:
                worst = {each.title: each.tested(tasks, seeds).mean(axis=0).min() for each in comparison.methods}
                frame = pd.DataFrame({"method": worst.keys(), "accuracy": worst.values()})
                caption = "Test accuracy in %, mean over seeds, of the task on which it is lowest."
                yield Shown.of_frame(results, comparison, "worst task", frame, caption=caption, draw=draw)


def draw(frame: pd.DataFrame) -> Figure:
    """Draw a bar per method."""
    with paper_style():
        figure = new_figure(0.8 + 0.25 * len(frame))
        figure.subplots().barh(frame["method"], frame["accuracy"])
    return figure
