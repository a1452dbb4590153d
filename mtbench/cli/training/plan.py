"""``mtbench plan``: the runs of a grid before they are trained, as a list, as commands, or as a simulation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base.shared import (
    DEFAULT_RESULTS,
    BackboneName,
    Changes,
    DataRoot,
    Datasets,
    Device,
    Epochs,
    GradientScale,
    ProtocolName,
    Quick,
    Results,
    console,
    data_root,
    whole_number,
)
from mtbench.cli.training.execution import announce, declared_line, settings, work_of
from mtbench.cli.training.options.asked import Methods, Seeds, SuiteName, ask
from mtbench.cli.training.stages import known_weights, say_waiting, waiting_rows
from mtbench.contract.options.limits import check_number
from mtbench.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.door.training.work import Work
    from mtbench.engines.agenda import Agenda
    from mtbench.engines.chosen import Execution

__all__ = ["EXAMPLES", "plan"]

EXAMPLES = """Examples:

  mtbench plan --methods single,td,moo --dataset mmnist3 --quick
  mtbench plan --methods td --dataset mmnist3 --format xargs | xargs -d '\\n' -n 1 -P 4 sh -c
  mtbench plan --methods td --dataset mmnist3 --format slurm > grid.sh
  mtbench plan --methods td --dataset mmnist3 --simulate --nodes 50 --mtbf 6h
"""
FORMATS = ("xargs", "slurm")
SIMULATION = "Simulation"


def plan(
    methods: Methods = "",
    dataset: Datasets = "",
    suite: SuiteName = "",
    seeds: Seeds = None,
    backbone: BackboneName = "",
    protocol: ProtocolName = "",
    quick: Quick = False,
    epochs: Epochs = None,
    changes: Changes = None,
    gradient_scale: GradientScale = None,
    results: Results = DEFAULT_RESULTS,
    root: DataRoot = None,
    device: Device = "auto",
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="Print commands for a scheduler of your own, for each run without a record: xargs (a line for each, "
            "for a shell too) or slurm (a script for sbatch). The spec of each run is written, and data are fetched.",
            metavar="NAME",
        ),
    ] = "",
    checkpoint_every: Annotated[
        str,
        typer.Option(
            "--checkpoint-every",
            help="Time between two checkpoints of a run, e.g. 10min; 0 for one after each epoch. With --simulate "
            "several, separated by commas.",
            metavar="TIMES",
        ),
    ] = "",
    simulate: Annotated[
        bool,
        typer.Option(
            "--simulate",
            help="Simulate the runs on nodes that fail: time, work done twice, and the best time between checkpoints.",
            rich_help_panel=SIMULATION,
        ),
    ] = False,
    nodes: Annotated[
        int | None, whole_number("--nodes", "Nodes of the simulation.", limit="jobs", rich_help_panel=SIMULATION)
    ] = None,
    mtbf: Annotated[
        str,
        typer.Option(
            "--mtbf",
            help="Mean time between two failures of one node, e.g. 6h or 30d.",
            metavar="TIME",
            rich_help_panel=SIMULATION,
        ),
    ] = "",
    runs_per_node: Annotated[
        int | None,
        whole_number(
            "--runs-per-node",
            "Runs at a time on a node, by default 1; a failure ends them all.",
            limit="runs-per-device",
            rich_help_panel=SIMULATION,
        ),
    ] = None,
    recovery: Annotated[
        str,
        typer.Option(
            "--recovery",
            help="Time after which a failed node is back, by default 2min.",
            metavar="TIME",
            rich_help_panel=SIMULATION,
        ),
    ] = "",
) -> None:
    """Show the runs that `mtbench run` would train, print commands for schedulers of your own, or simulate them.

    Without --format the results folder is left as it is. With it, standard output has the commands alone.
    """
    from mtbench.cli.training.shown.grid import listing
    from mtbench.engines.screen.say import Visible, say
    from mtbench.plan.grid import parse_seeds

    _check(form, simulate, {"nodes": nodes, "mtbf": mtbf, "runs-per-node": runs_per_node, "recovery": recovery})
    intervals = _intervals(checkpoint_every, several=simulate)
    out = Visible(stderr=True, emoji=False) if form else console()
    asked = ask(
        methods=methods,
        dataset=dataset,
        suite=suite,
        seeds=None if seeds is None else parse_seeds(seeds),
        backbone=backbone,
        protocol=protocol,
        quick=quick,
        changed=settings(changes or [], epochs=epochs, gradient_scale=gradient_scale),
        say=lambda line: say(out, line, style="dim", markup=False),
    )
    if asked.searches:
        say(
            Visible(stderr=True),
            f"The searches of this suite are left out: `mtbench run --suite {suite}` makes them, since each of their "
            "trials depends on those before.",
        )
    work = work_of(
        results=results,
        root=data_root(root),
        execution=_execution(form, device),
        refresh=set(),
        console=out,
        quiet=False,
    )
    if form and asked.suite:
        say(out, declared_line(asked.suite, results), style="dim")
    specs = asked.staged.specs(known_weights(asked, work, out, write=bool(form))) if asked.staged else asked.specs
    if form:
        work.check(specs)
        work.prepare(specs)
    agenda = work.agenda(specs, write=bool(form))
    if simulate:
        _simulate(agenda, work, out, intervals, nodes=nodes or 1, mtbf=mtbf, recovery=recovery, per_node=runs_per_node)
        say_waiting(waiting_rows(asked, work), out)
        return
    if not form and specs:
        out.print(listing([*agenda.todo, *agenda.done, *agenda.left]))
    announce(agenda, work, out, preview=asked.preview, dry_run=True)
    say_waiting(waiting_rows(asked, work), out)
    if agenda.left and form:
        say(out, "(--refresh is an option of `mtbench run`.)", style="dim")
    if form and agenda.todo:
        _print_commands(form, agenda, work, device, intervals[0] if intervals else 0.0)


def _execution(form: str, device: str) -> "Execution":
    """Return the manner of execution: the machines of a cluster may have devices that this one does not have."""
    from mtbench.engines.chosen import Execution
    from mtbench.engines.local.slots import slots
    from mtbench.engines.slurm.engine import Slurm

    if form == "slurm":
        return Execution(places=[device], engine=Slurm())
    return Execution(places=slots(device, None, 1))


def _check(form: str, simulate: bool, given: "dict[str, object]") -> None:
    """Refuse options that do not fit each other.

    Raises:
        UsageError: there are some.
    """
    if form and form not in FORMATS:
        raise UsageError(
            f"--format is '{form}'.", mend=did_you_mean(form, FORMATS), allowed=f"Allowed: {', '.join(FORMATS)}."
        )
    if form and simulate:
        raise UsageError("--format and --simulate were both given.", mend="Give one of them.")
    needed = [name for name in ("nodes", "mtbf") if not given[name]]
    if simulate and needed:
        raise UsageError(
            f"--simulate was given without {' and '.join(f'--{name}' for name in needed)}.",
            mend="Add them, e.g. --simulate --nodes 50 --mtbf 6h: 50 nodes, each of which fails every 6 hours.",
        )
    for name in (name for name, value in given.items() if value and not simulate):
        raise UsageError(f"--{name} is for the simulation.", mend="Add --simulate.")


def _intervals(text: str, *, several: bool) -> list[float]:
    from mtbench.door.given import names
    from mtbench.plan.durations import parse_duration

    found = [parse_duration(part, subject="--checkpoint-every", unit="s") for part in names(text)]
    for seconds in found:
        check_number("--checkpoint-every", seconds, "checkpoint-every", low=0)
    if len(found) > 1 and not several:
        raise UsageError(f"--checkpoint-every is '{text}'.", mend="Give one time; --simulate compares several.")
    return found


def _simulate(
    agenda: "Agenda",
    work: "Work",
    out: "Console",
    intervals: Sequence[float],
    *,
    nodes: int,
    mtbf: str,
    recovery: str,
    per_node: int | None,
) -> None:
    from mtbench.cli.training.shown.grid import announcement
    from mtbench.cli.training.shown.simulated import cluster_of, print_simulation
    from mtbench.engines.screen.say import say

    cluster = cluster_of(nodes, mtbf, recovery or "2min", per_node or 1)
    for line in announcement(agenda):
        say(out, line)
    if not agenda.todo:
        return
    print_simulation(
        [run.spec for run in agenda.todo],
        cluster,
        intervals,
        out,
        root=work.root,
        device=work.places[0],
        results=work.results,
    )


def _print_commands(form: str, agenda: "Agenda", work: "Work", device: str, checkpoint_every: float) -> None:
    """Print the commands of the runs that are to be done on standard output."""
    from mtbench.engines.agenda import job_of
    from mtbench.engines.commands import keep_code, slurm_script, xargs_lines
    from mtbench.engines.engine import Site

    site = Site(
        results=work.results.absolute(),
        root=work.root.absolute(),
        places=[device],
        checkpoint_every=checkpoint_every,
    )
    jobs = [job_of(run.folder.absolute(), run.spec) for run in agenda.todo]
    if form == "xargs":
        typer.echo("\n".join(xargs_lines(jobs, site)))
    else:
        expect = keep_code(site.results, [run.spec for run in agenda.todo])
        typer.echo(slurm_script(jobs, site, expect), nl=False)
