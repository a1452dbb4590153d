"""Runs, their states and their results in words and tables."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from mtbench.cli.base.shared import grid
from mtbench.engines.screen.headline import headline
from mtbench.store.status import STATES, RunStatus

if TYPE_CHECKING:
    from mtbench.engines.agenda import Agenda

__all__ = ["LONG", "announcement", "expectation", "listing", "notes", "results", "table"]

LONG = 600.0
"""Seconds of expected training from which on a preview is offered."""
STYLES = {
    "missing": "dim",
    "running": "cyan",
    "failed": "bold red",
    "damaged": "bold red",
    "changed": "bold red",
    "stale": "yellow",
}
"""Styles of states, and of notes on changed files."""


def table(runs: Sequence[RunStatus]) -> Table:
    """Return a table of run counts by dataset, protocol, method and state; states that no run is in are left out."""
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    for run in runs:
        titles = run.spec.titles
        counts.setdefault((titles.dataset, titles.protocol, titles.method), Counter())[run.state] += 1
    states = [state for state in STATES if any(count[state] for count in counts.values())]
    found = Table(box=None, pad_edge=False)
    for name in ("dataset", "protocol", "method"):
        found.add_column(name, overflow="fold")
    for state in states:
        found.add_column(state, justify="right", style=STYLES.get(state, "green"))
    for group, count in counts.items():
        found.add_row(*map(escape, group), *(str(count[state]) if count[state] else "" for state in states))
    return found


def listing(runs: Sequence[RunStatus]) -> Table:
    """Return a table with a row for each run: its state, dataset, training protocol, method and seed."""
    found = grid("state", "dataset", "protocol", "method", "seed")
    for run in runs:
        titles = run.spec.titles
        found.add_row(run.state, *map(escape, (titles.dataset, titles.protocol, titles.method)), str(run.spec.seed))
    return found


def results(runs: Sequence[RunStatus]) -> Table | None:
    """Return a short table of test results: mean and standard deviation over seeds of `headline`, a row per method.

    Returns:
        None if no run has a record.
    """
    groups: dict[tuple[str, str, str, str, str], list[float]] = {}
    for run in runs:
        if run.record is not None:
            titles = run.spec.titles
            name, unit, value = headline(run.record)
            group = (titles.dataset, titles.protocol, titles.method, name, unit)
            groups.setdefault(group, []).append(value)
    if not groups:
        return None
    found = grid("dataset", "protocol", "method", "on the test split", "", "seeds")
    for column in found.columns[-2:]:
        column.justify = "right"
    for (*names, metric, unit), values in groups.items():
        cells = [*names, f"{metric} in {unit}" if unit else metric, _spread(values, 2 if unit == "%" else 4)]
        found.add_row(*map(escape, cells), str(len(values)))
    return found


def _spread(values: Sequence[float], digits: int) -> str:
    """Return the mean of values and, from two on, their standard deviation."""
    mean = fmean(values)
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ± {stdev(values):.{digits}f}"


def notes(runs: Sequence[RunStatus]) -> Iterator[str]:
    """Yield a line of markup for each reason for which runs failed, are damaged or stale, or have changed files."""
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for run in runs:
        titles = run.spec.titles
        for state, why in ((run.state, run.why), *(("changed", clause) for clause in run.changed)):
            if why:
                groups.setdefault((state, titles.dataset, titles.method, why), []).append(run.spec.seed)
    for (state, dataset, method, why), seeds in sorted(groups.items()):
        named = ", ".join(map(str, sorted(seeds)))
        label = "seed" if len(seeds) == 1 else "seeds"
        yield f"[{STYLES[state]}]{state}[/] {escape(f'{dataset} {method} {label} {named}: {why}')}"


def announcement(agenda: "Agenda") -> Iterator[str]:
    """Yield lines on the runs that will be trained, on those that will not, and on how to have those trained too."""
    parts = [f"{len(agenda.todo)} to do"]
    if agenda.resumed:
        parts.append(f"{agenda.resumed} of them resumed from a checkpoint")
    if running := sum(run.state == "running" for run in agenda.todo):
        parts.append(f"{running} of them trained by another mtbench now")
    parts.append(f"{len(agenda.done)} done already")
    total = len(agenda.todo) + len(agenda.done) + len(agenda.left)
    yield f"{total} run{'s' * (total != 1)}: {', '.join(parts)}."
    idle = Counter(run.state for run in (*agenda.done, *agenda.left) if run.state != "fresh")
    for state, count in sorted(idle.items()):
        yield f"[{STYLES[state]}]{count} {state}[/], left as they are; retrain them with --refresh {state}:"
        yield from ("  " + line for line in notes([r for r in (*agenda.done, *agenda.left) if r.state == state]))


def expectation(seconds: float | None, places: int, device: str) -> str:
    """Return a line on how many runs are trained at a time and on the time that they take, as far as it is known."""
    from mtbench.engines.screen.display import duration

    where = f"{places} at a time on {device.partition(':')[0]}"
    return f"{where}; the time cannot be estimated." if seconds is None else f"{where}: about {duration(seconds)}."
