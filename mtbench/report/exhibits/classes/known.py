"""The table of accuracy on known classes, beside accuracy over all classes, of which the unknown one is often the most
frequent."""

from dataclasses import replace

from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.columns import is_wide
from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.summary.columns import explained
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.exhibits.summary.short import short_layout, table_of
from mtbench.report.page.layout import Page

__all__ = ["KNOWN", "known_page"]

KNOWN = "known-accuracy"
"""The metric of classifications with a class for what is unknown, see `mtbench.contract.Classification`."""


def known_page(comparison: Comparison, choices: Choices = DEFAULT) -> Page | None:
    """Return the accuracy on known classes of the tasks that have an unknown one; None where no task has, or where the
    reader has chosen the metrics that tables show."""
    table = table_of(KNOWN, comparison, choices)
    if table is None:
        return None
    page = page_of(table)
    short = [explained(table)] if is_wide(table.columns) else []
    name = table.constants.name if table.constants else "constant prediction"
    return replace(
        page,
        title=f"{page.title}: known classes",
        label=f"{page.label}-known",
        layout=short_layout(table),
        caption=(
            f"Accuracy on known classes (%, higher is better) on {table.dataset}, protocol {table.protocol}, mean ± "
            "standard deviation over seeds.",
            *short,
        ),
        details=(
            "Test examples of the unknown class are left out; for all others the prediction 'unknown' is wrong. "
            f"The {name} is that of all labels, with 0 where it is the unknown class. Nothing is bold.",
        ),
        footnotes=(),
        aside=" ".join(short),
    )
