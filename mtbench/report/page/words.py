"""Words in the cells of tables, before any markup."""

from collections.abc import Iterable
from dataclasses import dataclass

from mtbench.report import text
from mtbench.report.data.columns import Column
from mtbench.stats.summary import Summary
from mtbench.store.record import TaskInfo

__all__ = ["DASH", "Words", "plain", "task_head", "written"]

DASH = "\N{EN DASH}"
"""The text in place of a number where there is none."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """A cell: what it says, and whether it is bold."""

    says: str
    bold: bool = False


def plain(cells: Iterable[str]) -> tuple[Words, ...]:
    """Return a line of cells of which none is bold."""
    return tuple(Words(says=says) for says in cells)


def written(summary: Summary, digits: int = 2, *, sign: bool = False) -> str:
    """Return mean ± standard deviation as in `mtbench.report.text.spread`, or a dash where there is no value."""
    return text.spread(summary.mean, summary.std, digits, sign=sign) if summary.n else DASH


def task_head(measured: Column | TaskInfo) -> str:
    """Return the head of a task's column where metrics are unlike: with its metric, unit and direction."""
    unit = f" {measured.unit}" if measured.unit else ""
    return f"{measured.name} ({measured.metric}{unit} {'↑' if measured.higher_is_better else '↓'})"
