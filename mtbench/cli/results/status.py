"""``mtbench status``: the states of runs."""

from collections import Counter

from mtbench.cli.base.shared import DataRoot, Folders, ResultsOption, chosen_folders, console, data_root, keeping

__all__ = ["status"]


def status(folders: Folders = None, results: ResultsOption = None, root: DataRoot = None) -> None:
    """Show how many runs are missing, running, failed, damaged, stale or fresh, and the reasons."""
    from mtbench.cli.training.grid import notes, table
    from mtbench.engines.say import capped, say
    from mtbench.store.union import studies_of, survey_all

    chosen = chosen_folders(folders, results)
    unread: list[str] = []
    with keeping():
        runs = survey_all(chosen, data_root(root), unread.append)
        studies_of(chosen, unread.append)
    out = console()
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
