"""``mtbench status``: the states of runs."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base.shared import (
    DataRoot,
    Folders,
    ResultsOption,
    chosen_folders,
    console,
    data_root,
    keeping,
    number,
)
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.store.status import RunStatus

__all__ = ["EXAMPLES", "status"]

EXAMPLES = """Examples:

  mtbench status
  mtbench status results/2026-11-24-demo/*.zip
  mtbench status --watch
  mtbench status --watch --interval 60 >> changes.txt
  mtbench status --why 9c927d
  mtbench status --why results/local/mmnist3/td/seed-0-9c927d1fc98f
"""


def status(
    folders: Folders = None,
    results: ResultsOption = None,
    root: DataRoot = None,
    why: Annotated[
        str,
        typer.Option(
            "--why",
            help="Show why this run is in its state: the files, hashes and versions that changed, or its failure; and "
            "the attempts at it. A run is named by its id, the beginning of one, or its folder.",
            metavar="RUN",
        ),
    ] = "",
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Show the states again and again until no run is running (for 30 s while runs are missing) or in "
            "Slurm's queue, or Ctrl-C; in a file or a pipe, a line for each change. The code and data of a run are "
            "compared once.",
        ),
    ] = False,
    interval: Annotated[
        float | None,
        number("--interval", "Seconds between two looks with --watch; by default 2.", limit="seconds", low=0.5),
    ] = None,
) -> None:
    """Show how many runs are missing, running, failed, damaged, stale or fresh, and the reasons."""
    from mtbench.store.union import studies_of, survey_all

    if why and watch:
        raise UsageError("--why and --watch are both given.", mend="Give one of them.")
    if interval and not watch:
        raise UsageError("--interval is for --watch.", mend="Add --watch, or leave --interval out.")
    chosen, place = chosen_folders(folders, results), data_root(root)
    unread: list[str] = []
    out = console()
    if why:
        from mtbench.cli.results.states.reasons import print_state
        from mtbench.store.find import find_run

        with keeping():
            found = find_run(why, chosen, place, unread.append)
        print_state(found, place, out)
        return
    if watch:
        from mtbench.cli.results.states.watch import watch_runs

        runs = watch_runs(chosen, place, out, interval or 2.0, unread)
        if not out.is_terminal:
            return
    else:
        with keeping():
            runs = survey_all(chosen, place, unread.append)
            studies_of(chosen, unread.append)
    _print(runs, chosen, unread, out)


def _print(runs: "Sequence[RunStatus]", chosen: Sequence[Path], unread: list[str], out: "Console") -> None:
    from mtbench.cli.results.states.attempts import lost_work
    from mtbench.cli.results.states.queued import waiting_lines
    from mtbench.cli.training.shown.grid import notes, table
    from mtbench.engines.screen.say import capped, say

    for line in capped(unread):
        say(out, line, style="yellow", markup=False)
    if not runs:
        say(out, f"No runs in {', '.join(map(str, chosen))} yet.", markup=False)
        return
    out.print(table(runs))
    for line in notes(runs):
        say(out, line)
    for line in waiting_lines(runs, chosen):
        say(out, line, markup=False)
    absent = Counter(name for run in runs for name in run.absent)
    for name, count in sorted(absent.items()):
        say(out, f"Not here: {name} of {count} run{'s' * (count != 1)}.", style="dim", markup=False)
    if line := lost_work(runs):
        say(out, line, markup=False)
