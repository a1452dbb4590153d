"""``mtbench run``: methods trained on datasets."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtbench.cli.base.shared import (
    DEFAULT_RESULTS,
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
from mtbench.cli.training.execution import (
    announce,
    declared_line,
    parse_refresh,
    settings,
    stoppable,
    work_of,
)
from mtbench.cli.training.options.asked import Methods, Seeds, SuiteName, ask, refuse_beside_suite, suite_base
from mtbench.cli.training.options.engine import (
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
from mtbench.cli.training.options.tracking import Track, followed
from mtbench.cli.training.search import conduct, is_through
from mtbench.cli.training.shown.prospects import Earlier, places_of, print_prospects
from mtbench.cli.training.stages import known_weights, say_waiting, train_second_stage, waiting_rows
from mtbench.cli.training.until import Looks, MaxSeeds, Until, check_options, run_until_decided

if TYPE_CHECKING:
    from mtbench.engines.agenda import Agenda
    from mtbench.engines.engine import Outcome

__all__ = ["EXAMPLES", "run"]

EXAMPLES = """Examples:

  mtbench run --methods single,td,moo --dataset mmnist3 --quick
  mtbench run --methods td,td:gate=tanh --dataset mmnist4 --seeds 0-9 --dry-run
  mtbench run --methods uniform,branches+pcgrad --dataset mmnist2 --set lr=5e-4
  mtbench run --methods all --dataset mmnist2 --backbone resnet18:width=.25
  mtbench run --suite levi2020-table1 --quick
  mtbench run --suite levi2020-table1 --until-decided --max-seeds 20 --dry-run
  mtbench run --methods td --dataset mmnist2 --track tensorboard
  mtbench run --methods td,moo --dataset mmnist3 --engine slurm --time 4h --follow
  mtbench run --suite levi2020-table1 --dry-run --from 'results/*/*.zip'
"""


def run(
    context: typer.Context,
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
    track: Track = None,
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
    from mtbench.cli.training.shown.grid import listing
    from mtbench.engines.agenda import make_agenda
    from mtbench.engines.screen.output import outlive_output
    from mtbench.engines.screen.say import say
    from mtbench.plan.grid import parse_seeds
    from mtbench.plan.suite.file import find_suite
    from mtbench.plan.suite.planned import planned_places

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
    observe = followed(context, track, results, quiet=quiet)
    work = work_of(
        results=results,
        root=data_root(root),
        execution=execution,
        refresh=states,
        console=out,
        quiet=quiet,
        observe=observe,
    )
    if until_decided:
        from mtbench.door.training.looks import parse_looks
        from mtbench.door.training.until import UntilDecided

        refuse_beside_suite(suite, dataset=dataset, methods=methods, backbone=backbone)
        decided, base = find_suite(suite), suite_base(protocol, quick)
        until = UntilDecided(
            suite=decided, base=base, settings=changed, results=results, looks=parse_looks(looks), most=max_seeds
        )
        run_until_decided(until, work, out, name=suite, dry_run=dry_run)
        if dry_run:
            print_prospects(decided, planned_places(decided, base=base, settings=changed), others, work, out)
        return
    asked = ask(
        methods=methods,
        dataset=dataset,
        suite=suite,
        seeds=chosen,
        backbone=backbone,
        protocol=protocol,
        quick=quick,
        changed=changed,
        say=lambda line: say(out, line, style="dim", markup=False),
    )
    if asked.searches and not dry_run:
        work.check_waits()
    if asked.suite and not dry_run:
        say(out, declared_line(asked.suite, results), style="dim")
    studies = [
        study
        for request in asked.searches
        for study in conduct(
            request,
            results=results,
            root=work.root,
            execution=execution,
            refresh=states,
            dry_run=dry_run,
            quiet=quiet,
            observe=observe,
        )
    ]
    weights = known_weights(asked, work, out, write=not dry_run)
    specs = asked.staged.specs(weights) if asked.staged else asked.specs
    work.check(specs)
    if not dry_run:
        work.prepare(specs)
    agenda = work.agenda(specs, write=not dry_run)
    if verbose:
        out.print(listing([*agenda.todo, *agenda.done, *agenda.left]))
    announce(agenda, work, out, preview=asked.preview, dry_run=dry_run)
    if dry_run:
        say_waiting(waiting_rows(asked, work), out)
        if asked.suite:
            planned = planned_places(asked.suite, base=asked.base, settings=changed, resolutions=weights)
            print_prospects(asked.suite, planned, others, work, out, seeds=None if chosen is None else len(chosen))
        return
    with stoppable():
        outcomes = work.execute(agenda)
        more, later = train_second_stage(asked, work, out, specs)
    say_waiting(waiting := waiting_rows(asked, work), console())
    _summarize(make_agenda(work.statuses([*specs, *more]), set()), [*outcomes, *later], results, suite, quiet=quiet)
    if any(row.is_stuck for row in waiting) or not all(map(is_through, studies)):
        raise typer.Exit(1)


def _summarize(agenda: "Agenda", outcomes: "Sequence[Outcome]", results: Path, suite: str, *, quiet: bool) -> None:
    """Print the results, the problems, and the command that comes next.

    Raises:
        typer.Exit: a run has no record.
    """
    from rich.markup import escape

    from mtbench.cli.training.shown.grid import notes
    from mtbench.cli.training.shown.grid import results as table_of_results
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
        say(out, f"{runs} left to the scheduler. The same command with --follow shows their progress.")
    total = len(agenda.done) + len(without)
    verb = "run has" if total == 1 else "runs have"
    say(out, f"{len(agenda.done)} of {total} {verb} a record. Tables and figures: mtbench report{place}", markup=False)
    if len(without) > queued:
        raise typer.Exit(1)
