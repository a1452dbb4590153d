"""``mtbench exec``: runs in this process, or one after another, for schedulers and under a debugger."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from mtbench.cli.base.shared import WHERE, DataRoot, Device, console, data_root
from mtbench.cli.training.execution import stoppable
from mtbench.cli.training.options.engine import CheckpointEvery
from mtbench.errors import UsageError

__all__ = ["EXAMPLES", "exec_"]

EXAMPLES = """Examples:

  mtbench exec results/local/mmnist2/td/seed-0-1a2b3c4d
  mtbench exec spec.json --results results/local --pdb
  mtbench exec results/local/mmnist2/td/seed-* --job "$SLURM_JOB_ID"
"""


def exec_(
    specs: Annotated[
        list[Path],
        typer.Argument(
            help="The specs of runs: each a spec.json, its folder, or another file of that form.", metavar="SPEC"
        ),
    ],
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            help="Results folder for the runs; by default a spec.json is trained where it lies, and another file into "
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
    job: Annotated[
        str,
        typer.Option(
            "--job",
            help="Name of the job at a scheduler, for the log of attempts. The output of a run then goes to a file in "
            "its folder, and a run that another process has is waited for until that process has shown no sign of "
            "life for two minutes.",
            metavar="NAME",
        ),
    ] = "",
    expect: Annotated[
        Path | None,
        typer.Option(
            "--expect",
            help="File of the code that the runs were submitted with; a run whose code has changed is refused.",
            metavar="FILE",
        ),
    ] = None,
    checkpoint_every: CheckpointEvery = 0,
    root: DataRoot = None,
    device: Device = "auto",
) -> None:
    """Train a run in this process, or several one after another, for schedulers and xargs, or under a debugger."""
    from mtbench.engines.screen.output import outlive_output
    from mtbench.engines.stop import Stop, stop_on_sigterm

    outlive_output()
    how: dict[str, Any] = {"checkpoint_every": checkpoint_every, "job": job, "expected": expect}
    if len(specs) > 1:
        if debugger:
            raise UsageError(f"--pdb was given with {len(specs)} specs.", mend="Give it one.")
        _train_several(specs, results, data_root(root), device, how)
        return
    # Before anything that starts threads is imported.
    stop = Stop() if debugger else stop_on_sigterm()
    from mtbench.door.exec import debug, in_job, place_run
    from mtbench.engines.engine import Job
    from mtbench.engines.job import execute
    from mtbench.engines.screen.display import Lines

    run, asked = place_run(specs[0], results)
    titles = asked.titles
    this, lines = Job(folder=run.path, title=f"{titles.dataset} {titles.method}"), Lines(console(), 1)
    watch, note = partial(lines.advanced, this), partial(lines.noted, this)
    train = partial(execute, run, asked, data_root(root), device, watch, say=note, stop=stop, **how)
    with stoppable():
        if debugger:
            if not debug(run, asked, data_root(root), device, watch, note):
                raise typer.Exit(1)
        elif job:
            in_job(run, train, note, stop)
        else:
            train()
    lines.ended(this, "done", "")


def _train_several(specs: Sequence[Path], results: Path | None, root: Path, device: str, how: dict[str, Any]) -> None:
    """Train runs one after another, each in a process of its own.

    Args:
        how: see `mtbench.engines.local.worker.work`.

    Raises:
        typer.Exit: one failed, or a stop was requested.
    """
    from mtbench.door.exec import place_run
    from mtbench.engines.agenda import job_of
    from mtbench.engines.local.pool import run_all
    from mtbench.engines.local.worker import work
    from mtbench.engines.screen.display import Lines

    jobs = [job_of(run.path, asked) for run, asked in (place_run(file, results) for file in specs)]
    with stoppable():
        outcomes = run_all(
            jobs, root=root, slots=[device], listener=Lines(console(), len(jobs)), target=partial(work, **how)
        )
    if any(outcome.how != "done" for outcome in outcomes):
        raise typer.Exit(1)
