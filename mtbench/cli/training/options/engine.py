"""Options on where runs are executed."""

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.shared import whole_number

if TYPE_CHECKING:
    from mtbench.engines.chosen import Execution

__all__ = [
    *("ArraySize", "CheckpointEvery", "EngineName", "Follow", "Gres", "Partition", "RunsPerJob", "TimeLimit"),
    "execution_of",
]

PANEL = "Engine"

EngineName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--engine",
        help="Engine that executes the runs, with its options, e.g. local or slurm:partition=main:time=4h; "
        "`mtbench list engines` shows them.",
        metavar="NAME",
        rich_help_panel=PANEL,
        autocompletion=completion.engines,
    ),
]
Follow: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--follow", help="Show the progress of runs at a scheduler until they are over.", rich_help_panel=PANEL
    ),
]
Partition: TypeAlias = Annotated[
    str, typer.Option("--partition", help="Partition of the scheduler.", metavar="NAME", rich_help_panel=PANEL)
]
TimeLimit: TypeAlias = Annotated[
    str,
    typer.Option(
        "--time", help="Time limit of a job at the scheduler, e.g. 4h or 90min.", metavar="TIME", rich_help_panel=PANEL
    ),
]
ArraySize: TypeAlias = Annotated[
    int | None,
    whole_number("--array-size", "Jobs of an array that run at a time.", limit="runs", rich_help_panel=PANEL),
]
Gres: TypeAlias = Annotated[
    str,
    typer.Option(
        "--gres", help="Generic resources of a job at the scheduler, e.g. gpu:1.", metavar="LIST", rich_help_panel=PANEL
    ),
]
RunsPerJob: TypeAlias = Annotated[
    int | None,
    whole_number(
        "--runs-per-job",
        "Runs that a job executes one after another; by default as many as fill about ten minutes.",
        limit="runs",
        rich_help_panel=PANEL,
    ),
]


def _seconds(given: object) -> float:
    from mtbench.plan.durations import parse_duration

    return parse_duration(str(given), subject="--checkpoint-every", unit="s")


CheckpointEvery: TypeAlias = Annotated[
    float,
    typer.Option(
        "--checkpoint-every",
        help="Time between two checkpoints of a run, which are written at the end of an epoch, e.g. 10min; 0 for one "
        "after each.",
        parser=_seconds,
        metavar="TIME",
        rich_help_panel=PANEL,
    ),
]


def execution_of(
    engine: str,
    *,
    device: str,
    jobs: int | None,
    runs_per_device: int,
    checkpoint_every: float = 0,
    **given: str | int | bool | None,
) -> "Execution":
    """Return the manner of execution that the options of a command ask for.

    Args:
        engine: the text of --engine.
        device, jobs, runs_per_device, checkpoint_every: see `mtbench.engines.chosen.execution_of`.
        given: options of the engine that have an option of the command, by name; those that were not given are empty.

    Raises:
        UsageError: there is no such engine, option or device.
    """
    from mtbench.engines.chosen import choose_engine
    from mtbench.engines.chosen import execution_of as execution

    texts = {name: str(value).lower() if value is True else str(value) for name, value in given.items() if value}
    return execution(choose_engine(engine, texts), device, jobs, runs_per_device, checkpoint_every)
