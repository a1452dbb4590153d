"""The option ``--track``: the curves of runs, sent to a tracker while they are trained."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.shared import WHERE

__all__ = ["Track", "followed"]

Track: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        help="Send the curves of the runs to a tracker, e.g. tensorboard or mlflow:experiment=mine; may be repeated. "
        "`mtbench list trackers` shows them.",
        metavar="NAME[:OPTION=VALUE]",
        rich_help_panel=WHERE,
        autocompletion=completion.trackers,
    ),
]


def followed(
    context: typer.Context, trackers: Iterable[str] | None, results: Path, *, quiet: bool
) -> Callable[[Sequence[Path]], None]:
    """Return a function that lets trackers follow runs, until the command ends.

    Args:
        context: the context of the command.
        trackers: the texts of `Track`; none if nothing is tracked.
        results: the results folder.
        quiet: True to print problems alone.

    Raises:
        UsageError, PluginError: see `mtbench.door.training.tracking.parse_tracker`.
    """
    if not trackers:
        return lambda _: None
    from mtbench.door.training.tracking import tracking
    from mtbench.engines.screen.say import open_console, say

    out = open_console(outlived=True)
    tracked = tracking(trackers, results, lambda line: say(out, line, markup=False), quiet=quiet)
    return context.with_resource(tracked)
