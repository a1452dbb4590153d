"""``mtbench search``: settings for a method, chosen on a validation split, the same budget for each method."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.execution import names, parse_refresh, protocol_name, settings, stoppable, work_of
from mtbench.cli.shared import (
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
    data_root,
)

if TYPE_CHECKING:
    from mtbench.search.request import SearchRequest
    from mtbench.store.study import Study

__all__ = ["conduct", "is_through", "search"]


def search(
    dataset: Datasets,
    methods: Annotated[
        str,
        typer.Option(
            "--method",
            "--methods",
            help="Methods, separated by commas; a network such as branches alone is searched over its loss weights.",
            metavar="NAMES",
        ),
    ],
    trials: Annotated[
        int | None, typer.Option("--trials", help="Of each method; 20, or the whole grid, when nothing is said.")
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            help="What is searched, and nothing else then: lr=1e-4..1e-2:log, channels=1/2/6, weights=simplex; "
            "NAME=none leaves one out. May be repeated.",
            metavar="NAME=VALUES",
        ),
    ] = None,
    objective: Annotated[
        str,
        typer.Option(
            "--objective",
            help="tasks (one per task) or mean; by default tasks where loss weights are searched, else mean.",
            metavar="NAME",
        ),
    ] = "",
    sampler: Annotated[
        str, typer.Option("--sampler", help="Who proposes trials: tpe, nsga2, qmc or grid.", metavar="NAME")
    ] = "tpe",
    seeds: Annotated[
        str, typer.Option("--seeds", help="Tuning seeds per trial: a count from 1000, or a list.", metavar="SEEDS")
    ] = "1",
    seed: Annotated[int, typer.Option("--seed", help="Of the proposals.", min=0)] = 0,
    retrain: Annotated[
        int | None,
        typer.Option("--retrain", help="Report seeds that winners are trained again with; by default the protocol's."),
    ] = None,
    points: Annotated[
        str, typer.Option("--points", help="With an objective per task: train again front, or all.", metavar="NAME")
    ] = "front",
    protocol: ProtocolName = "paper",
    quick: Quick = False,
    epochs: Epochs = None,
    changes: Changes = None,
    gradient_scale: GradientScale = None,
    backbone: BackboneName = "",
    results: Results = DEFAULT_RESULTS,
    root: DataRoot = None,
    device: Device = "auto",
    jobs: Jobs = None,
    runs_per_device: RunsPerDevice = 1,
    refresh: Refresh = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Search settings of methods on a validation split, and train what was chosen again on all training images."""
    from mtbench.engines.slots import slots
    from mtbench.search.request import SearchRequest, parse_spaces, parse_tuning_seeds

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
    places = slots(device, jobs, runs_per_device)
    studies = conduct(
        request,
        results=results,
        root=data_root(root),
        places=places,
        refresh=parse_refresh(refresh or []),
        dry_run=dry_run,
        quiet=quiet,
    )
    if not dry_run and not all(map(is_through, studies)):
        raise typer.Exit(1)


def conduct(
    request: "SearchRequest",
    *,
    results: Path,
    root: Path,
    places: Sequence[str],
    refresh: set[str],
    dry_run: bool,
    quiet: bool,
) -> "list[Study]":
    """Do a search that was asked for, and show what is searched, how it gets on and what was found.

    Args:
        root: of the data files.
        places: a device for each run that may be at work at a time.
        refresh: the states in which runs are to be done again.
        dry_run: whether only to say what would be done.

    Returns:
        the studies; none if it is but said.

    Raises:
        UsageError: something asked for does not exist or does not fit.
        StoreError: nothing can be kept in the results folder.
        typer.Exit: it was stopped, which is told.
    """
    from mtbench.cli import studies as show
    from mtbench.cli.shared import console as open_console
    from mtbench.search.planning import plan_search
    from mtbench.store.results import check_results

    console = open_console()
    console.quiet = quiet
    work = work_of(results=results, root=root, places=places, refresh=refresh, console=console, quiet=quiet)
    plans = plan_search(request)
    check_results(results)
    firsts = [plan.specs(plan.default, request.seeds, validation=True)[0] for plan in plans]
    work.check(firsts)
    if not dry_run:
        work.prepare(firsts)
    show.announce(plans, console, results=results, root=root, places=places)
    if dry_run:
        return []
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
