"""``mtbench exec``: one run in this process."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.base.shared import WHERE, DataRoot, Device, console, data_root
from mtbench.cli.training.execution import stoppable

__all__ = ["exec_"]


def exec_(
    spec: Annotated[
        Path,
        typer.Argument(
            help="The spec of a run: a spec.json, its folder, or another file of that form.", metavar="SPEC"
        ),
    ],
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            help="Results folder for the run; by default a spec.json is trained where it lies, and another file into "
            "results/local.",
            metavar="DIR",
            rich_help_panel=WHERE,
        ),
    ] = None,
    debugger: Annotated[
        bool,
        typer.Option(
            "--pdb",
            help="Train under Python's debugger, from the first line on; an error opens it where it was raised. "
            "Neither an error nor quitting makes a failed run.",
        ),
    ] = False,
    root: DataRoot = None,
    device: Device = "auto",
) -> None:
    """Train one run in this process, for schedulers and xargs, or under a debugger."""
    from mtbench.engines.screen.output import outlive_output
    from mtbench.engines.stop import Stop, stop_on_sigterm

    outlive_output()
    # Before anything that starts threads is imported.
    stop = Stop() if debugger else stop_on_sigterm()
    from mtbench.door.exec import debug, place_run
    from mtbench.engines.engine import Job
    from mtbench.engines.job import execute
    from mtbench.engines.screen.display import Lines

    run, asked = place_run(spec, results)
    titles = asked.titles
    job, lines = Job(folder=run.path, title=f"{titles.dataset} {titles.method}"), Lines(console(), 1)
    watch, note = partial(lines.advanced, job), partial(lines.noted, job)
    with stoppable():
        if not debugger:
            execute(run, asked, data_root(root), device, watch, say=note, stop=stop)
        elif not debug(run, asked, data_root(root), device, watch, note):
            raise typer.Exit(1)
    lines.ended(job, "done", "")
