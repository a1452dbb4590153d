"""The numbers of a summary table."""

import math
from typing import Any

import pandas as pd

from mtbench.report.data.choices import AVERAGES, BASES
from mtbench.report.data.columns import Column
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.cost.expense import Expense
from mtbench.report.data.frame import curve_frame
from mtbench.report.exhibits.summary.data import Cell, Row, Table

__all__ = ["curve_means", "points_frame", "table_frame"]


def table_frame(table: Table) -> pd.DataFrame:
    """Return a table with one row per method and column, at full precision.

    A method is there even if no run of it has finished, with n = 0 and no numbers. The constant prediction is in the
    last lines, with means alone.
    """
    rows = [
        {**_about(table, row), **numbers}
        for row in table.rows
        for numbers in [_numbers(row, *pair) for pair in zip(table.columns, row.cells, strict=True)] or [{"n": 0}]
    ]
    if found := table.constants:
        title = {"dataset": table.dataset, "protocol": table.protocol, "method": found.name}
        values = zip(table.columns, found.values, strict=True)
        rows += [{**title, **_measured(column), "mean": value} for column, value in values if not math.isnan(value)]
    return pd.DataFrame(rows, columns=_columns(table), dtype=object)


def points_frame(table: Table) -> pd.DataFrame:
    """Return the numbers in the figure of points: per method and column mean, standard deviation and interval."""
    frame = table_frame(table)
    return frame[["method", "task", "metric", "unit", "n", "mean", "std", "t95_low", "t95_high"]]


def curve_means(comparison: Comparison) -> pd.DataFrame:
    """Return the means over seeds in the figure of curves: by method and epoch, in the columns of `curve_frame`."""
    frame = curve_frame(comparison).drop(columns="seed")
    return frame.groupby(["method", "epoch"], sort=False, as_index=False).mean()


def _columns(table: Table) -> list[str]:
    """Return the columns; those of parts, of a convention and of ranks where the table has them."""
    own = [_by(average, table.convention.base) for average in AVERAGES if table.convention.base not in BASES]
    parts = ["delta_m_part"] if table.averages and any(row.parts for row in table.rows) else []
    bands = ["delta_m_band"] if any(not math.isnan(row.band) for row in table.rows) else []
    chosen = ["chosen_on_test"] if any(row.chosen for row in table.rows) else []
    family = table.shown_ranks and table.shown_ranks.family
    ranks = ["rank_low", "rank_high"] if family else []
    letters = ["rank_letters"] if family and family.pairs == "letters" else []
    mean_rank = ["mean_rank"] if table.ranked else []
    grown = ["n_grew_after_a_look"] if any(row.grown for row in table.rows) else []
    return [*_CSV_COLUMNS, *parts, *own, *bands, *mean_rank, *ranks, *letters, *chosen, *grown]


def _about(table: Table, row: Row) -> dict[str, Any]:
    convention, (low, high) = table.convention, row.interval or (None, None)
    return {
        "dataset": table.dataset,
        "protocol": table.protocol,
        "method": row.method,
        "planned": row.planned,
        "delta_convention": f"{convention.average}/{convention.sign}/{convention.base}",
        **_gains(row),
        **(_expenses(row.expense) if row.expense else {}),
        "delta_m_band": None if math.isnan(row.band) else row.band,
        "mean_rank": None if math.isnan(row.rank) else row.rank,
        "rank_low": low,
        "rank_high": high,
        "rank_letters": row.letters,
        "chosen_on_test": row.chosen,
        "n_grew_after_a_look": row.grown,
        "stale": row.stale,
        "unlike_numerics": row.mixed,
        "note": row.note,
    }


def _gains(row: Row) -> dict[str, Any]:
    """Return means and standard deviations by the table's convention; means by the other averages and divisors."""
    gains = {"delta_m": row.delta, "relative_error": row.error}
    return {
        name: value
        for gain, summary in gains.items()
        if summary.n
        for name, value in ((gain, summary.mean), (f"{gain}_std", summary.std))
    } | {_by(*key): summary.mean for key, summary in row.deltas.items() if summary.n}


def _by(average: str, base: str) -> str:
    return f"delta_m_{average}_{base}"


def _expenses(expense: Expense) -> dict[str, Any]:
    return {
        "parameter_ratio": expense.parameter_ratio,
        "macs_per_input": expense.macs,
        "label_uses": expense.label_uses,
        "seconds_per_epoch": expense.seconds,
        "relative_time": expense.relative,
        "peak_memory": expense.memory,
    }


def _numbers(row: Row, column: Column, cell: Cell) -> dict[str, Any]:
    low, high = cell.summary.interval or (None, None)
    return {
        **_measured(column),
        "n": cell.summary.n,
        "mean": cell.summary.mean if cell.summary.n else None,
        "std": cell.summary.std,
        "t95_low": low,
        "t95_high": high,
        "best": cell.best,
        "not_above_constant": cell.constant,
        "delta_m_part": row.parts.get((column.name, column.metric)),
    }


def _measured(column: Column) -> dict[str, Any]:
    return {
        "task": column.name,
        "metric": column.metric,
        "unit": column.unit,
        "higher_is_better": column.higher_is_better,
    }


_CSV_COLUMNS = [
    *("dataset", "protocol", "method", "task", "metric", "unit", "higher_is_better", "n", "mean", "std"),
    *(
        "t95_low",
        "t95_high",
        "best",
        "not_above_constant",
        "planned",
        "delta_m",
        "delta_m_std",
        "relative_error",
        "relative_error_std",
    ),
    "delta_convention",
    *(_by(average, base) for average in AVERAGES for base in BASES),
    *("parameter_ratio", "macs_per_input", "label_uses"),
    *("seconds_per_epoch", "relative_time", "peak_memory", "stale", "unlike_numerics", "note"),
]
