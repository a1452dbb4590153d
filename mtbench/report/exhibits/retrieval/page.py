"""The table of mean average precision, beside triplet accuracy, and the ceiling of one embedding for all tasks."""

import math
from dataclasses import replace

from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.columns import MANY, is_wide
from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.summary.columns import explained
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.exhibits.summary.short import short_layout, table_of
from mtbench.report.page.layout import Page
from mtbench.store.record import CEILING

__all__ = ["RANKED", "ranked_page"]

RANKED = "map"
"""The metric of rankings, see `mtbench.contract.Retrieval`."""


def ranked_page(comparison: Comparison, choices: Choices = DEFAULT) -> Page | None:
    """Return the mean average precision of the tasks that have one; None where no task has, or where the reader has
    chosen the metrics that tables show."""
    table = table_of(RANKED, comparison, choices)
    if table is None:
        return None
    page = page_of(table)
    short = [explained(table)] if is_wide(table.columns) else []
    return replace(
        page,
        title=f"{page.title}: mean average precision",
        label=f"{page.label}-ranked",
        layout=short_layout(table),
        caption=(
            f"Mean average precision (%, higher is better) on {table.dataset}, protocol {table.protocol}, mean ± "
            "standard deviation over seeds.",
            *short,
        ),
        details=(
            "For each query, test images are ranked by distance; images of its class are relevant. The query itself "
            "and queries without relevant images are left out; images at equal distance share a rank. Nothing is bold.",
            *_ceiling(comparison),
        ),
        footnotes=(),
        aside=" ".join(short),
    )


def _ceiling(comparison: Comparison) -> list[str]:
    """Say, of runs that know it, what triplet accuracy one embedding for all tasks can have."""
    records = [record for method in comparison.methods for record in method.records.values()]
    found = {
        task.name: record.measurements[CEILING + task.name].value
        for record in records
        for task in comparison.tasks
        if CEILING + task.name in record.measurements
    }
    known = {name: value for name, value in found.items() if not math.isnan(value)}
    if not known:
        return []
    mean = f"{sum(known.values()) / len(known):.1f} % in mean"
    each = ", ".join(f"{name} {value:.1f}" for name, value in known.items())
    return [
        "Upper bound of the triplet accuracy of one embedding for all tasks (its distance: the number of tasks in "
        f"which two images differ): {mean}{f' ({each})' if len(known) <= MANY else ''}."
    ]
