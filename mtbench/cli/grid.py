"""Runs and their states in words and tables."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from mtbench.store.status import STATES, RunStatus

if TYPE_CHECKING:
    from mtbench.engines.agenda import Agenda

__all__ = ["LONG", "announcement", "expectation", "notes", "table"]

LONG = 600.0
"""Seconds after which somebody who wants a look should hear of a shorter way."""
STYLES = {"missing": "dim", "running": "cyan", "failed": "bold red", "damaged": "bold red", "stale": "yellow"}


def table(runs: Sequence[RunStatus]) -> Table:
    """Return a table of run counts by dataset, protocol, method and state; states that no run is in are left out."""
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    for run in runs:
        titles = run.spec.titles
        counts.setdefault((titles.dataset, titles.protocol, titles.method), Counter())[run.state] += 1
    states = [state for state in STATES if any(count[state] for count in counts.values())]
    grid = Table(box=None, pad_edge=False)
    for name in ("dataset", "protocol", "method"):
        grid.add_column(name, overflow="fold")
    for state in states:
        grid.add_column(state, justify="right", style=STYLES.get(state, "green"))
    for group, count in counts.items():
        grid.add_row(*map(escape, group), *(str(count[state]) if count[state] else "" for state in states))
    return grid


def notes(runs: Sequence[RunStatus]) -> Iterator[str]:
    """A line of markup for each thing that happened to runs which failed, are damaged or stale."""
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for run in runs:
        if run.why:
            titles = run.spec.titles
            groups.setdefault((run.state, titles.dataset, titles.method, run.why), []).append(run.spec.seed)
    for (state, dataset, method, why), seeds in sorted(groups.items()):
        named = ", ".join(map(str, sorted(seeds)))
        label = "seed" if len(seeds) == 1 else "seeds"
        yield f"[{STYLES[state]}]{state}[/] {escape(f'{dataset} {method} {label} {named}: {why}')}"


def announcement(agenda: "Agenda") -> Iterator[str]:
    """Yield what will be done with the runs that were asked for, and what will not, and how to have that done too."""
    parts = [f"{len(agenda.todo)} to do"]
    if agenda.resumed:
        parts.append(f"{agenda.resumed} of them from a checkpoint")
    if running := sum(run.state == "running" for run in agenda.todo):
        parts.append(f"{running} of them with another mtbench now")
    parts.append(f"{len(agenda.done)} done already")
    yield f"{len(agenda.todo) + len(agenda.done) + len(agenda.left)} runs: {', '.join(parts)}."
    idle = Counter(run.state for run in (*agenda.done, *agenda.left) if run.state != "fresh")
    for state, count in sorted(idle.items()):
        yield f"[{STYLES[state]}]{count} {state}[/], left alone; do them again with --refresh {state}:"
        yield from ("  " + line for line in notes([r for r in (*agenda.done, *agenda.left) if r.state == state]))


def expectation(seconds: float | None, places: int, device: str) -> str:
    """Say how long it will take, as far as anybody can tell."""
    from mtbench.engines.display import duration

    where = f"{places} at a time on {device.partition(':')[0]}"
    return f"{where}; how long it takes cannot be told." if seconds is None else f"{where}: about {duration(seconds)}."
