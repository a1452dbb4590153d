"""The order of methods in words: mean ranks over datasets, and the agreement without one task or dataset."""

import math
from collections.abc import Sequence

import pandas as pd

from mtbench.report.data.comparison import Comparison
from mtbench.report.exhibits.ordering.data import DATASETS, Dropped, Overall
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import DASH, plain
from mtbench.report.text import fixed, listed

__all__ = ["dropped_frame", "overall_frame", "overall_page", "without_dataset_page", "without_task_page"]

_SHOWN = 10
"""Lines of a table; of more tasks those that change the order most."""
_TAU = "τ: Kendall's tau-b of the two orders, 1 for the same and -1 for the reverse; first: best without it."
_WITHIN = "mean ranks over the metrics in Δm of unrounded means over seeds; single-task networks are not ranked."


def without_task_page(comparison: Comparison, dropped: Sequence[Dropped], label: str) -> Page:
    """Return a line for each task: the agreement of the order of methods with that without the task."""
    title = f"{comparison.dataset_title}, protocol {comparison.title}: order without one task"
    caption = f"Order of methods on {comparison.dataset_title}, protocol {comparison.title}, without one of its tasks."
    return _page(title, label, dropped, caption=caption, by=_WITHIN, quick=comparison.quick)


def without_dataset_page(found: Overall, protocol: str, label: str, *, quick: bool) -> Page:
    """Return a line for each dataset: the agreement of the overall order with that without the dataset."""
    title, caption = (
        f"{start} {len(found.datasets)} datasets, protocol {protocol}{end}"
        for start, end in (("Over", ": order without one dataset"), ("Order of methods over", ", without one of them."))
    )
    return _page(title, label, found.dropped, caption=caption, by="overall ranks.", quick=quick)


def overall_page(found: Overall, protocol: str, label: str, *, quick: bool) -> Page:
    """Return a line for each method: its mean rank on each dataset, and the mean over datasets."""
    lines = [
        plain((method, fixed(mean), *map(fixed, ranks)))
        for method, mean, ranks in zip(found.methods, found.mean, found.ranks, strict=True)
    ]
    count = len(found.datasets)
    return Page(
        title=f"Over {count} datasets, protocol {protocol}: ranks",
        label=label,
        quick=quick,
        layout=Layout(header=("method", "rank ↓", *found.datasets), lines=tuple(lines), tasks=1 + count, costs=0),
        caption=(
            f"Mean rank of each method over {count} datasets, protocol {protocol}, and on each of them; 1 is best.",
        ),
        details=(
            f"Ranked are the {len(found.methods)} methods that have every metric on every dataset, among each other. "
            f"On a dataset: {_WITHIN} Ties share their mean rank. Each dataset counts once. There is no such rank over "
            f"fewer than {DATASETS} datasets.",
        ),
        aside="rank: mean over datasets of the mean rank over metrics in Δm; 1 is best.",
    )


def dropped_frame(dropped: Sequence[Dropped], of: str) -> pd.DataFrame:
    """Return a row for each task or dataset, at full precision; `of` is the name of the first column."""
    return pd.DataFrame([{of: each.name, "tau": each.tau, "first": "; ".join(each.first)} for each in dropped])


def overall_frame(found: Overall) -> pd.DataFrame:
    """Return a row for each method and dataset, and one for the mean over datasets, at full precision."""
    rows = [
        {"method": method, "dataset": dataset, "mean_rank": rank}
        for method, mean, ranks in zip(found.methods, found.mean, found.ranks, strict=True)
        for dataset, rank in [*zip(found.datasets, ranks, strict=True), ("mean", mean)]
    ]
    return pd.DataFrame(rows)


def _page(title: str, label: str, dropped: Sequence[Dropped], *, caption: str, by: str, quick: bool) -> Page:
    shown = sorted(dropped, key=lambda each: -2 if math.isnan(each.tau) else each.tau)[:_SHOWN]
    kept = [each for each in dropped if each in shown]
    left = len(dropped) - len(kept)
    lines = [plain((each.name, DASH if math.isnan(each.tau) else fixed(each.tau), _first(each.first))) for each in kept]
    more = f" {left} more, which change the order less, are in the CSV file." if left else ""
    return Page(
        title=title,
        label=label,
        quick=quick,
        layout=Layout(header=("without", "τ ↑", "first"), lines=tuple(lines), tasks=2, costs=0),
        caption=(f"{caption}{more}",),
        details=(f"{_TAU} Orders are of {by}",),
        aside=f"τ: Kendall's tau-b with the whole order; first: best without it.{more}",
    )


def _first(methods: Sequence[str]) -> str:
    return listed(methods) if len(methods) <= 3 else f"{len(methods)} methods"
