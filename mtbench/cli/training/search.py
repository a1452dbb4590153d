"""``mtbench search``: hyperparameters of methods, chosen on a validation split with equal budgets."""

from collections.abc import Callable, Sequence
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
    data_root,
    whole_number,
)
from mtbench.cli.training.execution import parse_refresh, protocol_name, settings, stoppable, work_of
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
from mtbench.door.given import names

if TYPE_CHECKING:
    from mtbench.engines.chosen import Execution
    from mtbench.search.request import SearchRequest
    from mtbench.store.study import Study

__all__ = ["EXAMPLES", "conduct", "is_through", "search"]

EXAMPLES = """Examples:

  mtbench search --methods td,uniform --dataset mmnist2 --trials 20 --quick
  mtbench search --methods branches --dataset mmnist2 --trials 40 --quick
  mtbench search --methods td --dataset mmnist2 --space lr=1e-4..1e-2:log
  mtbench search --methods mmoe --dataset mmnist2 --space weight-decay=0/1e-4 --space options=declared
  mtbench search --methods td --dataset mmnist2 --sampler grid --space lr=3e-4/1e-3
  mtbench search --methods td --dataset mmnist2 --engine slurm --time 4h --follow
"""
SEARCH = "Search"


def search(
    context: typer.Context,
    methods: Annotated[
        str,
        typer.Option(
            "--methods",
            "--method",
            help="Methods, separated by commas. The task weights of a network that is named alone, such as branches, "
            "are searched.",
            metavar="NAMES",
            rich_help_panel=WHAT,
            autocompletion=completion.methods,
        ),
    ],
    dataset: Datasets,
    trials: Annotated[
        int | None,
        whole_number(
            "--trials",
            "Trials of each method; by default 20, or the whole grid.",
            limit="trials",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            help="Search these hyperparameters alone, e.g. lr=1e-4..1e-2:log, channels=1/2/6 or weights=simplex; "
            "NAME=none leaves one out; options=declared adds those that a method declares. May be repeated. By default "
            "the learning rate and those that a method declares.",
            metavar="NAME=VALUES",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    objective: Annotated[
        str,
        typer.Option(
            "--objective",
            help="tasks (an objective for each) or mean; by default tasks where task weights are searched, else mean.",
            metavar="NAME",
            rich_help_panel=SEARCH,
        ),
    ] = "",
    sampler: Annotated[
        str,
        typer.Option(
            "--sampler",
            help="Sampler that proposes trials: tpe, nsga2, qmc or grid.",
            metavar="NAME",
            rich_help_panel=SEARCH,
        ),
    ] = "tpe",
    seeds: Annotated[
        str,
        typer.Option(
            "--seeds",
            help="Tuning seeds of each trial: a count (2 is 1000 and 1001), a range (1000-1004), or a list.",
            metavar="SEEDS",
            rich_help_panel=SEARCH,
        ),
    ] = "1",
    seed: Annotated[
        int, whole_number("--seed", "Seed of the sampler.", low=0, limit="sampler-seed", rich_help_panel=SEARCH)
    ] = 0,
    retrain: Annotated[
        int | None,
        whole_number(
            "--retrain",
            "Report seeds that chosen trials are retrained with; by default as many as the training protocol has.",
            low=0,
            limit="seeds",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    points: Annotated[
        str,
        typer.Option(
            "--points",
            help="Trials that are retrained where there is an objective per task: front or all.",
            metavar="NAME",
            rich_help_panel=SEARCH,
        ),
    ] = "front",
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
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse to resume a search whose trials another version of Optuna proposed."),
    ] = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Choose hyperparameters on a validation split, and retrain the chosen ones on all training images."""
    from mtbench.engines.screen.output import outlive_output
    from mtbench.search.request import SearchRequest, parse_spaces, parse_tuning_seeds

    outlive_output()
    request = SearchRequest(
        datasets=names(dataset),
        methods=names(methods),
        protocol=protocol_name(protocol, quick),
        settings=settings(changes or [], epochs=epochs, gradient_scale=gradient_scale),
        backbone=backbone,
        space=parse_spaces(space or []),
        sampler=sampler,
        objective=objective,
        trials=trials,
        seeds=parse_tuning_seeds(seeds),
        seed=seed,
        retrain=retrain,
        points=points,
    )
    studies = conduct(
        request,
        results=results,
        root=data_root(root),
        execution=execution_of(
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
        ),
        refresh=parse_refresh(refresh or []),
        strict=strict,
        dry_run=dry_run,
        quiet=quiet,
        observe=followed(context, track, results, quiet=quiet),
    )
    if not dry_run and not all(map(is_through, studies)):
        raise typer.Exit(1)


def conduct(
    request: "SearchRequest",
    *,
    results: Path,
    root: Path,
    execution: "Execution",
    refresh: set[str],
    strict: bool = False,
    dry_run: bool,
    quiet: bool,
    observe: Callable[[Sequence[Path]], None] = lambda _: None,
) -> "list[Study]":
    """Do a search, and print its space, its progress and its results.

    Args:
        root: the folder of the data files.
        execution: the engine, and a device for each run that may be trained at a time.
        refresh: the states in which runs are to be retrained.
        strict: True to refuse to resume a search whose trials another version of Optuna proposed.
        dry_run: True to print what would be done, and do nothing.
        observe: called with the folders of runs before they are trained.

    Returns:
        the studies; none of a dry run.

    Raises:
        UsageError: something asked for does not exist or does not fit.
        StoreError: nothing can be kept in the results folder.
        typer.Exit: it was stopped.
    """
    from mtbench.cli.base.shared import console as open_console
    from mtbench.cli.training.shown import studies as show
    from mtbench.search.journal.versions import check_versions
    from mtbench.search.planning import plan_search
    from mtbench.search.remaining import remaining_runs
    from mtbench.store.results import check_results

    console = open_console(quiet=quiet)
    work = work_of(
        results=results,
        root=root,
        execution=execution,
        refresh=refresh,
        console=console,
        quiet=quiet,
        observe=observe,
    )
    plans = plan_search(request)
    check_results(results)
    if strict:
        check_versions(plans, results)
    firsts = [plan.specs(plan.default, request.seeds, validation=True)[0] for plan in plans]
    work.check(firsts)
    if not dry_run:
        work.check_waits()
        work.prepare(firsts)
    show.announce(plans, console, results=results, root=root, execution=execution, dry_run=dry_run)
    if dry_run:
        return []
    work.check_fit([spec for plan in plans for spec in remaining_runs(plan, results)])
    from mtbench.search.rounds import run_search

    with stoppable():
        studies = run_search(plans, results=results, perform=work)
    console.quiet = False
    show.summarize(studies, console, plans=plans, results=results)
    return studies


def is_through(study: "Study") -> bool:
    """Return whether a setting was found and every run that was to be retrained has a record."""
    reported = len(study.report_seeds)
    return bool(study.chosen) and all(len(study.retrained.get(number, ())) == reported for number in study.chosen)
