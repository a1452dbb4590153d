"""Pointing of a comparison's runs: distances of maps' peaks from the tasks' objects, and right answers by these."""

from collections.abc import Iterator
from dataclasses import asdict

import pandas as pd

from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.store.record.pointing import Outcomes, TaskPointing

__all__ = ["COUNTS", "MEASURES", "pointing_frame"]

MEASURES = ("within_5", "within_10", "median")
COUNTS = ("localized_right", "localized_wrong", "elsewhere_right", "elsewhere_wrong")


def pointing_frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row per finished run and task with pointing; empty where no record has any.

    Columns: ``method``, ``seed``, ``map``, ``task``, ``count``; ``within_5``, ``within_10``, fractions, ``median``, in
    sides of the image, and with ``constant_`` before them the same of the constant point, whose place is
    ``constant_x``, ``constant_y``; the four counts of `Outcomes`.
    """
    return pd.DataFrame([row for method in comparison.methods for row in _rows(method)])


def _rows(method: MethodRuns) -> Iterator[dict[str, object]]:
    for seed, record in method.records.items():
        if record.pointing is None:
            continue
        for task, found in record.pointing.tasks.items():
            yield {"method": method.title, "seed": seed, "map": record.pointing.map, "task": task, **_row(found)}


def _row(found: TaskPointing) -> dict[str, object]:
    constant, outcomes = found.constant, found.outcomes
    return {
        "count": found.count,
        **asdict(found.peak),
        **{f"constant_{name}": getattr(constant.nearness, name) if constant else None for name in MEASURES},
        "constant_x": constant.x if constant else None,
        "constant_y": constant.y if constant else None,
        **{name: getattr(outcomes, name) if isinstance(outcomes, Outcomes) else None for name in COUNTS},
    }
