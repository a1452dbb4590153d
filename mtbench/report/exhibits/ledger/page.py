"""A ledger: the resources that were spent on the rows of a table, and on all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mtbench.report import text
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.cost.spent import Spent, spent
from mtbench.report.data.studies import StudyRuns
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import DASH, plain

__all__ = ["ALL", "Entry", "ledger_frame", "ledger_page"]

ALL = "all rows"
"""The last row, in which each run counts once."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row of a ledger.

    Attributes:
        method: the title of the row.
        runs: its runs.
        searches: the searches that chose its settings.
    """

    method: str
    runs: MethodRuns
    searches: tuple[StudyRuns, ...] = ()


def ledger_page(
    comparison: Comparison,
    entries: Sequence[Entry],
    label: str,
    *,
    suite: str = "",
    of: str = "",
    firsts: Mapping[str, str] | None = None,
) -> Page:
    """Return a ledger in words: a line per row, and one for all rows together.

    Args:
        comparison: the comparison of the table.
        entries: the rows; at least one has a finished run.
        label: the name of the files.
        suite: the name of the suite of the table, if any.
        of: the rows in words for the title, if they are not those of the summary table.
        firsts: for each row that takes its task weights from the runs of another one, by its title, that one.
    """
    found = dict(_spent(entries))
    has_trials = any(each.trials for each in found.values())
    trials = ["trials"] if has_trials else []
    title = f"{comparison.dataset_title}, protocol {comparison.title}: resources spent"
    return Page(
        title=f"{suite and f'{suite}: '}{title}{of and f' on {of}'}",
        label=label,
        quick=comparison.quick,
        layout=Layout(
            header=("method", *trials, "runs", "epochs", "labels", "MACs", "hours", "memory"),
            lines=tuple(plain(_cells(name, each, has_trials=has_trials)) for name, each in found.items()),
            tasks=0,
            costs=6 + has_trials,
        ),
        caption=(
            f"{title} on each row, the sum over its runs"
            f"{' and over all trials of the search that chose its settings' if has_trials else ''}.",
        ),
        details=(
            "Labels: labels that entered a loss. MACs: multiply-accumulates of the forward passes of training; "
            "backward passes are left out, which take about twice as many, and more with a gradient per task. Hours: "
            "wall-clock time with evaluations, whatever ran beside it. Memory: the largest peak of any run.",
            *(["Runs that rows have in common count once in the last row."] if len(found) > 1 else []),
            *(
                f"{row} takes its weights from the runs of {first}, which are not counted in its line."
                for row, first in (firsts or {}).items()
                if row in found
            ),
        ),
        footnotes=tuple(_footnotes(found)),
        methods=tuple("" if name == ALL else name for name in found),
    )


def ledger_frame(comparison: Comparison, entries: Sequence[Entry]) -> pd.DataFrame:
    """Return a line per row of the ledger, at full precision."""
    start = {"dataset": comparison.dataset, "protocol": comparison.title}
    return pd.DataFrame([{**start, "method": name, **vars(each)} for name, each in _spent(entries)])


def _spent(entries: Sequence[Entry]) -> Iterator[tuple[str, Spent]]:
    """Yield the resources of each row with a finished run or a search, and of all together if there are several."""
    shown = [(each.method, found) for each in entries if (found := spent([each.runs], each.searches))]
    yield from shown
    searches = {found.study.id: found for each in entries for found in each.searches}
    if len(shown) > 1 and (together := spent([each.runs for each in entries], list(searches.values()))):
        yield ALL, together


def _cells(name: str, each: Spent, *, has_trials: bool) -> Iterator[str]:
    yield name
    if has_trials:
        yield f"{each.trials:,}" if each.trials else DASH
    yield f"{each.runs:,}"
    yield f"{each.epochs:,}"
    yield DASH if each.labels is None else text.counted(each.labels)
    yield DASH if each.macs is None else text.counted(each.macs)
    yield text.duration(each.seconds / 3600)
    yield DASH if each.memory is None else text.memory(each.memory)


def _footnotes(found: dict[str, Spent]) -> Iterator[str]:
    if any(each.labels is None for each in found.values()):
        yield "Labels, MACs and memory are not known where records of trials are lacking."
    if any(each.macs is None and each.labels is not None for each in found.values()):
        yield "MACs are not known of runs that were made before they were measured, unless the record implies them."
