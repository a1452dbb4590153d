"""Methods as arms of an experiment, which are matched in weights or operations: their cost and their results."""

from dataclasses import dataclass

from mtbench.report.data.columns import Column
from mtbench.report.data.cost.magnitude import Magnitude, magnitude
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.page.suite import called
from mtbench.stats.contrast import Contrast, paired
from mtbench.stats.summary import Summary, summarize

__all__ = ["Arm", "Arms", "matched_arms"]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A method as one of the arms.

    Attributes:
        name: name in the suite, and `title` that in reports.
        size: its cost; None before a run has finished.
        summary: summary of the mean over tasks.
        against: paired contrast to the reference; None for the reference itself, or without one.
    """

    name: str
    title: str
    size: Magnitude | None
    summary: Summary
    against: Contrast | None


@dataclass(frozen=True, kw_only=True)
class Arms:
    """The arms of one sheet.

    Attributes:
        sheet: their runs.
        column: the mean over tasks.
        reference: name of the arm that others are compared with; empty where no run of it has finished.
        arms: all of them, in the suite's order.
    """

    sheet: Sheet
    column: Column
    reference: str
    arms: tuple[Arm, ...]

    @property
    def points(self) -> list[tuple[Arm, Magnitude]]:
        """The arms that have a result, with their cost."""
        return [(arm, arm.size) for arm in self.arms if arm.size and arm.summary.n]


def matched_arms(runs: SuiteRuns) -> list[Arms]:
    """Return the arms of each sheet whose tasks share a metric."""
    found = []
    for sheet in runs.sheets:
        column = next((column for column in sheet.columns if column.is_mean), None)
        if column is not None:
            reference = _reference(runs, sheet)
            arms = _arms(runs, sheet, column, reference)
            found.append(Arms(sheet=sheet, column=column, reference=reference, arms=arms))
    return found


def _reference(runs: SuiteRuns, sheet: Sheet) -> str:
    """Return the first method of the suite's grid for the dataset; empty where no run of it has finished."""
    first = next(part.methods[0] for part in runs.suite.grid if sheet.dataset in part.datasets)
    found = sheet.runs(first)
    return first if found and found.records else ""


def _arms(runs: SuiteRuns, sheet: Sheet, column: Column, reference: str) -> tuple[Arm, ...]:
    titles, scores = called(runs.suite, [sheet]), sheet.scores(column.name)
    return tuple(
        Arm(
            name=name,
            title=title,
            size=magnitude(sheet.runs(name)),
            summary=summarize(scores[name]),
            against=paired(scores[name], scores[reference]) if reference and name != reference else None,
        )
        for name, title in titles.items()
    )
