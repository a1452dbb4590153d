"""``mtbench track``: the curves in results, sent to a tracker."""

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.shared import Folders, ResultsOption, chosen_folders

__all__ = ["EXAMPLES", "track"]

EXAMPLES = """Examples:

  mtbench track --to tensorboard
  mtbench track results/mine.zip --to tensorboard:folder=curves
  mtbench track results/mine --to mlflow:experiment=mine
"""


def track(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="The tracker, e.g. tensorboard or mlflow:experiment=mine; `mtbench list trackers` shows them.",
            metavar="NAME[:OPTION=VALUE]",
            autocompletion=completion.trackers,
        ),
    ],
    folders: Folders = None,
    results: ResultsOption = None,
) -> None:
    """Send the curves of the runs in results folders and packs to a tracker; what it has already is not sent again.

    `mtbench run --track NAME` does so while runs are trained.
    """
    from mtbench.door.training.tracking import parse_tracker, send
    from mtbench.engines.screen.output import outlive_output
    from mtbench.engines.screen.say import open_console, say

    outlive_output()
    out, is_all = open_console(), True
    given: list[Path] = chosen_folders(folders, results)
    for place, chosen in [(place, parse_tracker(to, place)) for place in given]:
        runs, left = send(place, chosen, lambda line: say(out, line, markup=False))
        of_runs = f"{runs - left} of {runs} run{'s' * (runs != 1)}"
        say(out, f"{chosen.choice.name} has the curves of {of_runs} in {place}.", markup=False)
        if shown_by := chosen.make().shown_by:
            say(out, f"Curves: {shown_by}", markup=False)
        is_all = is_all and not left
    if not is_all:
        raise typer.Exit(1)
