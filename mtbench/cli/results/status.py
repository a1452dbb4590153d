"""``mtbench status``: the states of runs."""

from collections import Counter
from typing import Annotated

import typer

from mtbench.cli.base.shared import DataRoot, Folders, ResultsOption, chosen_folders, console, data_root, keeping

__all__ = ["EXAMPLES", "status"]

EXAMPLES = """Examples:

  mtbench status
  mtbench status results/2026-11-24-demo/*.zip
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
            help="Show why this run is in its state: the files, hashes and versions that changed, or its failure. A "
            "run is named by its id, the beginning of one, or its folder.",
            metavar="RUN",
        ),
    ] = "",
) -> None:
    """Show how many runs are missing, running, failed, damaged, stale or fresh, and the reasons."""
    from mtbench.cli.training.grid import notes, table
    from mtbench.engines.say import capped, say
    from mtbench.store.union import studies_of, survey_all

    chosen = chosen_folders(folders, results)
    unread: list[str] = []
    out = console()
    if why:
        from mtbench.cli.results.state import print_state
        from mtbench.store.find import find_run

        with keeping():
            found = find_run(why, chosen, data_root(root), unread.append)
        print_state(found, data_root(root), out)
        return
    with keeping():
        runs = survey_all(chosen, data_root(root), unread.append)
        studies_of(chosen, unread.append)
    for line in capped(unread):
        say(out, line, style="yellow", markup=False)
    if not runs:
        say(out, f"No runs in {', '.join(map(str, chosen))} yet.", markup=False)
        return
    out.print(table(runs))
    for line in notes(runs):
        say(out, line)
    absent = Counter(name for run in runs for name in run.absent)
    for name, count in sorted(absent.items()):
        say(out, f"Not here: {name} of {count} run{'s' * (count != 1)}.", style="dim", markup=False)
