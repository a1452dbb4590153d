"""The table of tasks whose classes are unequal, where accuracy alone says little."""

from collections.abc import Sequence
from dataclasses import replace

from mtbench.report import marks
from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.columns import is_wide
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.constant import BALANCED, UNEQUAL, unequal_tasks
from mtbench.report.exhibits.summary.columns import explained
from mtbench.report.exhibits.summary.data import Table, build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.exhibits.summary.short import short_layout
from mtbench.report.page.layout import Page
from mtbench.report.text import listed

__all__ = ["unequal_page"]


def unequal_page(comparison: Comparison, choices: Choices = DEFAULT) -> Page | None:
    """Return balanced accuracy and macro F1 of the tasks whose classes are unequal; None where there are none, or where
    the reader has chosen the metrics that tables show."""
    names = {task.name for task in unequal_tasks(comparison)}
    if choices.metrics or not names:
        return None
    whole = build_table(comparison, replace(choices, metrics=BALANCED))
    every = len(names) == len(comparison.tasks)
    columns = enumerate(whole.columns)
    table = _only(whole, [index for index, each in columns if each.name in names or (each.is_mean and every)])
    page = page_of(table)
    short = [explained(table)] if is_wide(table.columns) else []
    return replace(
        page,
        title=f"{page.title}: unequal classes",
        label=f"{page.label}-unequal",
        layout=short_layout(table, {BALANCED[0]: "balanced", BALANCED[1]: "macro F1"}),
        caption=(*_caption(table, names, every=every), *short),
        details=_details(table),
        footnotes=(),
        aside=" ".join([f"{marks.CONSTANT}: not above the {whole.constants.name}." if whole.constants else "", *short]),
    )


def _only(table: Table, kept: Sequence[int]) -> Table:
    """Return the table with some of its columns, and nothing bold: its tests were of all."""
    assert table.constants is not None  # or no task would be unequal
    return replace(
        table,
        columns=tuple(table.columns[index] for index in kept),
        rows=tuple(
            replace(row, cells=tuple(replace(row.cells[index], best=False) for index in kept)) for row in table.rows
        ),
        constants=replace(table.constants, values=tuple(table.constants.values[index] for index in kept)),
    )


def _caption(table: Table, names: set[str], *, every: bool) -> tuple[str, ...]:
    assert table.constants is not None
    of = "All tasks" if every else f"{len(names)} tasks" if is_wide(table.columns) else f"Tasks {listed(sorted(names))}"
    return (
        f"{of} of {table.dataset}, protocol {table.protocol}, with unequal classes: balanced accuracy and macro F1 (%, "
        "higher is better), mean ± standard deviation over seeds.",
        f"{marks.CONSTANT}: not above the {table.constants.name} in accuracy.",
    )


def _details(table: Table) -> tuple[str, ...]:
    assert table.constants is not None
    return (
        f"Classes are unequal if the {table.constants.name} has at least {UNEQUAL:g}/C of the test labels (C classes).",
        "Balanced: mean recall over classes, 100/C for a constant prediction; macro F1: mean F1 over classes.",
        "Nothing is bold.",
    )
