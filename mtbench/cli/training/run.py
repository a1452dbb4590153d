"""``mtbench run``: methods trained on datasets."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.shared import (
    DEFAULT_RESULTS,
    WHAT,
    BackboneName,
    Changes,
    DataRoot,
    Datasets,
    Device,
    DryRun,
    Epochs,
    GradientScale,
    Jobs,
    ProtocolName,
    Quick,
    Quiet,
    Refresh,
    Results,
    RunsPerDevice,
    Verbose,
    console,
    data_root,
)
from mtbench.cli.training.engine import (
    ArraySize,
    CheckpointEvery,
    EngineName,
    Follow,
    Gres,
    Partition,
    RunsPerJob,
    TimeLimit,
    execution_of,
)
from mtbench.cli.training.execution import (
    announce,
    declared_line,
    parse_refresh,
    protocol_name,
    settings,
    stoppable,
    work_of,
)
from mtbench.cli.training.prospects import Earlier, places_of, print_prospects
from mtbench.cli.training.search import conduct, is_through
from mtbench.cli.training.until import Looks, MaxSeeds, Until, check_options, run_until_decided
from mtbench.door.given import names
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from mtbench.engines.agenda import Agenda
    from mtbench.engines.engine import Outcome
    from mtbench.search.request import SearchRequest

__all__ = ["EXAMPLES", "run"]

EXAMPLES = """Examples:

  mtbench run --methods single,td,moo --dataset mmnist3 --quick
  mtbench run --methods td,td:gate=tanh --dataset mmnist4 --seeds 0-9 --dry-run
  mtbench run --methods uniform,branches+pcgrad --dataset mmnist2 --set lr=5e-4
  mtbench run --methods all --dataset mmnist2 --backbone resnet18:width=.25
  mtbench run --suite levi2020-table1 --quick
  mtbench run --suite levi2020-table1 --until-decided --max-seeds 20 --dry-run
  mtbench run --suite levi2020-table1 --dry-run --from 'results/*/*.zip'
"""


def run(
    methods: Annotated[
        str,
        typer.Option(
            "--methods",
            "--method",
            help="Methods, separated by commas, e.g. td:channels=6,branches+mgda; by default all that are installed.",
            metavar="NAMES",
            rich_help_panel=WHAT,
            autocompletion=completion.methods,
        ),
    ] = "",
    dataset: Datasets = "",
    suite: Annotated[
        str,
        typer.Option(
            "--suite",
            help="A suite by name or as a TOML file, in place of methods and datasets.",
            metavar="SUITE",
            rich_help_panel=WHAT,
            autocompletion=completion.suites,
        ),
    ] = "",
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds",
            help="Seeds: a count (10 is 0 to 9), a range (0-5 is 0 to 5), or a list (0,3,7-9; '7,' is 7 alone); by "
            "default as many as the training protocol has.",
            metavar="SEEDS",
            rich_help_panel=WHAT,
        ),
    ] = None,
    backbone: BackboneName = "",
    protocol: ProtocolName = "",
    quick: Quick = False,
    epochs: Epochs = None,
    changes: Changes = None,
    gradient_scale: GradientScale = None,
    results: Results = DEFAULT_RESULTS,
    root: DataRoot = None,
    device: Device = "auto",
    jobs: Jobs = None,
    runs_per_device: RunsPerDevice = 1,
    engine: EngineName = "local",
    follow: Follow = False,
    partition: Partition = "",
    time: TimeLimit = "",
    array_size: ArraySize = None,
    gres: Gres = "",
    runs_per_job: RunsPerJob = None,
    checkpoint_every: CheckpointEvery = 0,
    refresh: Refresh = None,
    until_decided: Until = False,
    max_seeds: MaxSeeds = None,
    looks: Looks = "",
    dry_run: DryRun = False,
    earlier: Earlier = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Train methods on datasets, several runs at a time. Runs that are finished already are left as they are."""
    from mtbench.cli.training.grid import listing
    from mtbench.engines.agenda import make_agenda
    from mtbench.engines.screen.output import outlive_output
    from mtbench.engines.screen.say import say
    from mtbench.plan.grid import Request, parse_seeds, plan
    from mtbench.plan.suite.file import find_suite
    from mtbench.plan.suite.planned import plan_suite, planned_places
    from mtbench.search.planning import plan_search
    from mtbench.search.suite import suite_requests

    outlive_output()
    check_options(until_decided, suite, seeds, max_seeds, looks)
    out = console(quiet=quiet)
    others = places_of(earlier or [], is_dry=bool(suite) and dry_run)
    states = parse_refresh(refresh or [])
    changed = settings(changes or [], epochs=epochs, gradient_scale=gradient_scale)
    chosen = None if seeds is None else parse_seeds(seeds)
    execution = execution_of(
        engine,
        device=device,
        jobs=jobs,
        runs_per_device=runs_per_device,
        checkpoint_every=checkpoint_every,
        partition=partition,
        time=time,
        array_size=array_size,
        gres=gres,
        runs_per_job=runs_per_job,
        follow=follow,
    )
    work = work_of(results=results, root=data_root(root), execution=execution, refresh=states, console=out, quiet=quiet)
    searches: list[SearchRequest] = []
    if suite:
        _alone(suite, {"--dataset": dataset, "--methods": methods, "--backbone": backbone})
        base = protocol_name(protocol, quick) if quick or protocol else ""
        asked = find_suite(suite)
        if until_decided:
            from mtbench.door.training.looks import parse_looks
            from mtbench.door.training.until import UntilDecided

            until = UntilDecided(
                suite=asked, base=base, settings=changed, results=results, looks=parse_looks(looks), most=max_seeds
            )
            run_until_decided(until, work, out, name=suite, dry_run=dry_run)
            if dry_run:
                print_prospects(asked, planned_places(asked, base=base, settings=changed), others, work, out)
            return
        specs = plan_suite(asked, base=base, settings=changed, seeds=chosen)
        preview = partial(plan_suite, asked, base="quick", settings=changed, seeds=chosen)
        searches = suite_requests(asked, base=base, settings=changed, seeds=chosen)
        for request in searches:
            plan_search(request)  # an error in the last is found before the first has taken its hours
        if not dry_run:
            say(out, declared_line(asked, results), style="dim")
    else:
        asked_grid = Request(
            methods=names(methods) or ["all"],
            datasets=names(dataset),
            protocol=protocol_name(protocol, quick),
            settings=changed,
            seeds=chosen,
            backbone=backbone,
        )
        specs = plan(asked_grid, left_out=lambda line: say(out, line, style="dim", markup=False))
        preview = partial(plan, replace(asked_grid, protocol="quick"))
    studies = [
        study
        for request in searches
        for study in conduct(
            request,
            results=results,
            root=work.root,
            execution=execution,
            refresh=states,
            dry_run=dry_run,
            quiet=quiet,
        )
    ]
    work.check(specs)
    if not dry_run:
        work.prepare(specs)
    agenda = work.agenda(specs, write=not dry_run)
    if verbose:
        out.print(listing([*agenda.todo, *agenda.done, *agenda.left]))
    announce(
        agenda,
        work,
        out,
        preview=preview if protocol in ("", "paper") and not quick else None,
        dry_run=dry_run,
    )
    if dry_run:
        if suite:
            planned = planned_places(asked, base=base, settings=changed)
            print_prospects(asked, planned, others, work, out, seeds=None if chosen is None else len(chosen))
        return
    with stoppable():
        outcomes = work.execute(agenda)
    _summarize(make_agenda(work.statuses(specs), set()), outcomes, results, suite, quiet=quiet)
    if not all(map(is_through, studies)):
        raise typer.Exit(1)


def _alone(suite: str, others: Mapping[str, str]) -> None:
    for option in (option for option, value in others.items() if value):
        raise UsageError(
            f"{option} and --suite {suite} were both given, and a suite has its own methods and datasets.",
            mend=f"For other runs write a suite of your own: `mtbench suite show {suite}` names a file to begin with.",
        )


def _summarize(agenda: "Agenda", outcomes: "Sequence[Outcome]", results: Path, suite: str, *, quiet: bool) -> None:
    """Print the results, the problems, and the command that comes next.

    Raises:
        typer.Exit: a run has no record.
    """
    from rich.markup import escape

    from mtbench.cli.training.grid import notes
    from mtbench.cli.training.grid import results as table_of_results
    from mtbench.engines.screen.say import say

    out = console()
    without = (*agenda.todo, *agenda.left)
    if not quiet and (table := table_of_results(agenda.done)):
        out.print(table)
    noted = {run.folder for run in without if run.why}
    for line in notes(without):
        say(out, line)
    for outcome in outcomes:  # a failure that could not be written into the folder of the run
        if outcome.how == "failed" and outcome.job.folder not in noted:
            say(out, f"[bold red]failed[/] {escape(outcome.job.title)}: {escape(outcome.why)}")
    of_suite = f" --suite {shlex.quote(suite)}" if suite else ""
    place = of_suite + ("" if results == DEFAULT_RESULTS else f" {shlex.quote(str(results))}")
    queued = sum(outcome.how == "queued" for outcome in outcomes)
    if queued:
        runs = "1 run is" if queued == 1 else f"{queued} runs are"
        say(out, f"{runs} left to the scheduler. `mtbench status` shows them, as the same command with --follow does.")
    total = len(agenda.done) + len(without)
    verb = "run has" if total == 1 else "runs have"
    say(out, f"{len(agenda.done)} of {total} {verb} a record. Tables and figures: mtbench report{place}", markup=False)
    if len(without) > queued:
        raise typer.Exit(1)
