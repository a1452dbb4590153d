"""Rows of the table of what a search over the tasks found: the front's points, the front, and the methods beside it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mtbench.report.data.studies import StudyRuns
from mtbench.report.exhibits.pareto.data import Point, TradeOff, dominated, volume
from mtbench.stats.pareto import Dominance
from mtbench.stats.summary import Summary, summarize

__all__ = ["Row", "pareto_frame", "pareto_rows", "smallest"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A point, the front, or a method.

    Attributes:
        name: its name.
        block: ``points``, ``kin`` (methods of the same network and backbone) or ``others``.
        point: None unless it is one.
        summaries: summaries of the test metric per task; none for the front as a set.
        n: seeds of which all tasks are known.
        chance, nadir: the fraction of the box that it covers from either reference; None without one.
        share: fraction of bootstrap samples of the seeds in which a point is on the front; None where it is unknown.
        verdict: against the front; None for what is on it, or where there is none.
    """

    name: str
    block: str
    point: Point | None
    summaries: tuple[Summary, ...]
    n: int
    chance: float | None
    nadir: float | None
    share: float | None
    verdict: Dominance | None


def pareto_rows(trade: TradeOff) -> list[Row]:
    """Return the front's points and the default, best in the first task first; the front as a set; methods of the same
    network and backbone; then others.

    Points that are known on the validation split alone are none of them.
    """
    listed = [point for point in trade.points if point.known and (point.front or point.number == 0)]
    shown = sorted(listed, key=lambda point: float(point.tried[0]), reverse=trade.higher[0])
    rows = [_point_row(point, trade) for point in shown]
    if trade.front:
        rows.append(_whole_front(trade))
    for block in ("kin", "others"):
        rows += [_row(each.title, block, each.tested, trade) for each in trade.rivals if each.kin == (block == "kin")]
    return rows


def pareto_frame(found: StudyRuns, trade: TradeOff, rows: Sequence[Row]) -> pd.DataFrame:
    """Return a line per row and task at full precision, the front as a set in one line; after them what is not in the
    table: points off the front, and trials that were not retrained.

    Columns: ``validation`` (of a point's trial), ``n``, ``mean``, ``std``, ``t95_low``, ``t95_high`` (of the test
    split), ``hv_chance`` and ``hv_nadir`` (shares), ``reference_chance`` and ``reference_nadir`` (of that task),
    ``front_share``, ``p`` (the smallest, after Holm's correction) and ``dominated_by`` (a trial).
    """
    listed = {row.point.number for row in rows if row.point}
    others = [_point_row(point, trade) for point in trade.points if point.number not in listed]
    return pd.DataFrame([line for row in (*rows, *others) for line in _lines(row, found, trade)])


def smallest(verdict: Dominance) -> float:
    """Return the smallest p after Holm's correction; NaN where none could be tested."""
    known = [p for p in verdict.adjusted if not math.isnan(p)]
    return min(known, default=math.nan)


def _row(name: str, block: str, tested: NDArray[np.float64], trade: TradeOff) -> Row:
    return Row(
        name=name,
        block=block,
        point=None,
        summaries=tuple(summarize(tested[:, task]) for task in range(len(trade.tasks))),
        n=int(np.isfinite(tested).all(axis=1).sum()),
        chance=volume([tested], trade.bounds.chance, trade),
        nadir=volume([tested], trade.bounds.nadir, trade),
        share=None,
        verdict=dominated(tested, trade),
    )


def _point_row(point: Point, trade: TradeOff) -> Row:
    name = f"{point.name}, the default" if point.number == 0 else point.name
    row = _row(name, "points", point.tested, trade)
    return replace(row, point=point, share=trade.shares.get(point.number), verdict=None if point.front else row.verdict)


def _whole_front(trade: TradeOff) -> Row:
    tested = [point.tested for point in trade.front]
    return Row(
        name=f"the front ({len(tested)} points)" if len(tested) > 1 else "the front (1 point)",
        block="points",
        point=None,
        summaries=(),
        n=min(int(np.isfinite(values).all(axis=1).sum()) for values in tested),
        chance=volume(tested, trade.bounds.chance, trade),
        nadir=volume(tested, trade.bounds.nadir, trade),
        share=None,
        verdict=None,
    )


def _lines(row: Row, found: StudyRuns, trade: TradeOff) -> Iterator[dict[str, object]]:
    limits = trade.bounds
    by = trade.front[row.verdict.by].number if row.verdict is not None and row.verdict.by is not None else None
    least = math.nan if row.verdict is None else smallest(row.verdict)
    for at, task in enumerate(trade.tasks if row.summaries else (None,)):
        summary = row.summaries[at] if row.summaries else None
        low, high = (summary.interval if summary else None) or (None, None)
        yield {
            "dataset": trade.comparison.dataset,
            "protocol": trade.comparison.title,
            "study": found.study.id,
            "block": row.block,
            "name": row.name,
            "trial": row.point.number if row.point else None,
            "front": row.point.front if row.point else None,
            "task": task.name if task else "",
            "validation": float(row.point.tried[at]) if row.point else None,
            "n": summary.n if summary else row.n,
            "mean": summary.mean if summary and summary.n else None,
            "std": summary.std if summary else None,
            "t95_low": low,
            "t95_high": high,
            "hv_chance": row.chance,
            "hv_nadir": row.nadir,
            "reference_chance": limits.chance[at] if limits.chance and task else None,
            "reference_nadir": limits.nadir[at] if limits.nadir and task else None,
            "front_share": row.share,
            "p": None if math.isnan(least) else least,
            "dominated_by": by,
        }
