"""The states of runs again and again: ``mtbench status --watch``."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from mtbench.cli.base.shared import keeping
from mtbench.cli.results.states.queued import any_waiting
from mtbench.cli.training.shown.grid import table
from mtbench.engines.screen.say import capped
from mtbench.errors import StoreError
from mtbench.store.files.reading import read_bytes
from mtbench.store.kept import Kept
from mtbench.store.status import STATES, RunStatus
from mtbench.store.union import survey_all

__all__ = ["watch_runs"]

_GRACE = 30.0
"""Seconds without a running run after which the watch ends although runs are missing, unless they are in Slurm's queue:
a command that is about to train them may be starting."""


def watch_runs(
    folders: Sequence[Path], root: Path, out: Console, interval: float, unread: list[str]
) -> list[RunStatus]:
    """Show the states of runs until none is running or in Slurm's queue, or Ctrl-C, and return the last ones.

    A terminal shows a table that is redrawn; into a file or a pipe a line is printed for each change.

    Args:
        folders: the results folders and packs.
        root: the folder of the data files.
        out: the console.
        interval: seconds between two looks.
        unread: a list that sentences on what cannot be read are added to, each once.
    """
    kept, runs, active = Kept(), list[RunStatus](), time.monotonic()
    before: Mapping[Path, str] | None = None
    live = Live(console=out, auto_refresh=False, transient=True) if out.is_terminal else None
    try:
        with live or nullcontext():
            while True:
                sentences = list[str]()
                with nullcontext() if runs else keeping():
                    runs = survey_all(folders, root, sentences.append, kept)
                unread += [sentence for sentence in dict.fromkeys(sentences) if sentence not in unread]
                if live:
                    live.update(_screen(runs, interval), refresh=True)
                else:
                    for line in _changes(before, runs):
                        _print(out, line)
                    before = {run.folder: run.state for run in runs}
                states = {run.state for run in runs}
                if "running" in states:
                    active = time.monotonic()
                elif "missing" not in states:
                    break
                elif time.monotonic() - active > _GRACE:
                    if not any_waiting(runs, folders):
                        break
                    active = time.monotonic()
                time.sleep(interval)
    except KeyboardInterrupt:
        return runs
    if not live:
        _print(out, f"{_now()} no run is running: {_counts(runs)}")
    return runs


def _print(out: Console, line: str) -> None:
    """Print a line of a log, which is never wrapped."""
    out.print(line, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _changes(before: Mapping[Path, str] | None, runs: Sequence[RunStatus]) -> Iterator[str]:
    """Yield a line on all runs at the first look, then one on each that is in another state."""
    if before is None:
        yield f"{_now()} {_counts(runs)}"
        return
    changed = [run for run in runs if before.get(run.folder, "") != run.state]
    yield from capped([f"{_now()} {_named(run)}: {_change(before, run)}" for run in changed])


def _change(before: Mapping[Path, str], run: RunStatus) -> str:
    why = f": {run.why}" if run.why else ""
    return f"{before.get(run.folder, 'new')} -> {run.state}{why}"


def _screen(runs: Sequence[RunStatus], interval: float) -> RenderableType:
    running = [run for run in runs if run.state == "running"]
    lines = capped([f"{_named(run)}: {_progress(run)}" for run in running])
    end = f"{_now()}, every {interval:g} s until no run is running; Ctrl-C ends it"
    return Group(table(runs), *map(Text, lines), Text(end, style="dim"))


def _progress(run: RunStatus) -> str:
    """Return how far a running run has come, by the last point of its curve."""
    try:
        last = read_bytes(run.folder / "curve.jsonl").splitlines()[-1]
        return f"epoch {json.loads(last)['epoch']} of {run.spec.protocol.epochs}"
    except (OSError, StoreError, ValueError, LookupError, TypeError):  # none yet, or half a line
        return "no epoch yet"


def _named(run: RunStatus) -> str:
    titles = run.spec.titles
    return f"{titles.dataset}, {titles.protocol}, {titles.method}, seed {run.spec.seed}"


def _counts(runs: Sequence[RunStatus]) -> str:
    counts = Counter(run.state for run in runs)
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state]) or "no runs"


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
