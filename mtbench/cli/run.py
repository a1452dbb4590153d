"""``mtbench run``, ``mtbench status`` and ``mtbench exec``."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.execution import (
    announce,
    declared_line,
    names,
    parse_refresh,
    protocol_name,
    settings,
    stoppable,
    work_of,
)
from mtbench.cli.search import conduct, is_through
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
    keeping,
)
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from mtbench.engines.agenda import Agenda
    from mtbench.engines.pool import Outcome
    from mtbench.search.request import SearchRequest

__all__ = ["exec_", "run", "status"]


def run(
    dataset: Datasets = "",
    methods: Annotated[
        str,
        typer.Option(
            "--methods",
            help="Methods, separated by commas, e.g. td:channels=6,branches+mgda; all that there are, if not given.",
            metavar="NAMES",
        ),
    ] = "",
    suite: Annotated[
        str,
        typer.Option(
            "--suite", help="In the place of datasets and methods: a suite by name, or a TOML file.", metavar="SUITE"
        ),
    ] = "",
    protocol: ProtocolName = "paper",
    quick: Quick = False,
    epochs: Epochs = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", help="A count such as 10, or a list such as 0,3,7.", metavar="SEEDS")
    ] = None,
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
    """Train methods on datasets: every run that is asked for and not there yet, several at a time."""
    from rich.console import Console

    from mtbench.engines.agenda import make_agenda
    from mtbench.engines.slots import slots
    from mtbench.plan.grid import Request, parse_seeds, plan
    from mtbench.plan.suite.file import find_suite
    from mtbench.plan.suite.planned import plan_suite
    from mtbench.search.planning import plan_search
    from mtbench.search.suite import suite_requests

    console = Console(quiet=quiet)
    states = parse_refresh(refresh or [])
    changed = settings(changes or [], epochs=epochs, gradient_scale=gradient_scale)
    chosen = None if seeds is None else parse_seeds(seeds)
    places = slots(device, jobs, runs_per_device)
    work = work_of(results=results, root=data_root(root), places=places, refresh=states, console=console, quiet=quiet)
    searches: list[SearchRequest] = []
    if suite:
        _alone(suite, {"--dataset": dataset, "--methods": methods, "--backbone": backbone})
        base = protocol_name(protocol, quick) if quick or protocol != "paper" else ""
        asked = find_suite(suite)
        specs = plan_suite(asked, base=base, settings=changed, seeds=chosen)
        searches = suite_requests(asked, base=base, settings=changed, seeds=chosen)
        for request in searches:
            plan_search(request)  # what is wrong with the last is told before the first has taken its hours
        if not dry_run:
            console.print(declared_line(asked, results), style="dim", soft_wrap=True, highlight=False)
    else:
        specs = plan(
            Request(
                methods=names(methods) or ["all"],
                datasets=names(dataset),
                protocol=protocol_name(protocol, quick),
                settings=changed,
                seeds=chosen,
                backbone=backbone,
            ),
            left_out=lambda line: console.print(line, style="dim", soft_wrap=True, highlight=False, markup=False),
        )
    studies = [
        study
        for request in searches
        for study in conduct(
            request,
            results=results,
            root=work.root,
            places=places,
            refresh=states,
            dry_run=dry_run,
            quiet=quiet,
        )
    ]
    work.check(specs)
    if not dry_run:
        work.prepare(specs)
    agenda = work.agenda(specs, write=not dry_run)
    announce(agenda, places, work.root, console, is_quick=quick)
    if dry_run:
        return
    with stoppable():
        outcomes = work.execute(agenda)
    _summarize(make_agenda(work.statuses(specs), set()), outcomes, results, suite)
    if not all(map(is_through, studies)):
        raise typer.Exit(1)


def _alone(suite: str, others: Mapping[str, str]) -> None:
    for option in (option for option, value in others.items() if value):
        raise UsageError(
            f"{option} was given beside --suite {suite}, which says itself what it runs.",
            mend=f"For other runs make a suite of your own: mtbench suite show {suite} says how.",
        )


def status(results: Results = DEFAULT_RESULTS, root: DataRoot = None) -> None:
    """Show which runs are missing, running, failed, damaged, stale or fresh, and why."""
    from rich.console import Console

    from mtbench.cli.grid import notes, table
    from mtbench.store.status import survey

    with keeping():
        runs = survey(results, data_root(root))
    console = Console()
    if not runs:
        console.print(f"No runs in {results} yet.", soft_wrap=True, highlight=False)
        return
    console.print(table(runs))
    for line in notes(runs):
        console.print(line, soft_wrap=True, highlight=False)


def exec_(
    spec: Annotated[Path, typer.Argument(help="A run's spec.json.", metavar="SPEC")],
    root: DataRoot = None,
    device: Device = "auto",
) -> None:
    """Do one run whose spec.json is there; for schedulers and xargs."""
    from mtbench.engines.stop import stop_on_sigterm

    stop = stop_on_sigterm()  # before anything that starts threads is imported
    from rich.console import Console

    from mtbench.engines.display import Lines
    from mtbench.engines.job import execute
    from mtbench.engines.pool import Job
    from mtbench.store.folder import RunFolder

    titles = RunFolder(spec.parent).spec().titles
    job, lines = Job(folder=spec.parent, title=f"{titles.dataset} {titles.method}"), Lines(Console(), 1)
    with stoppable():
        execute(
            spec,
            data_root(root),
            device,
            lambda progress: lines.advanced(job, progress),
            say=lambda text: lines.noted(job, text),
            stop=stop,
        )
    lines.ended(job, "done", "")


def _summarize(agenda: "Agenda", outcomes: "Sequence[Outcome]", results: Path, suite: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    from mtbench.cli.grid import notes

    console = Console()
    without = (*agenda.todo, *agenda.left)
    told = {run.folder for run in without if run.why}
    for line in notes(without):
        console.print(line, soft_wrap=True, highlight=False)
    for outcome in outcomes:  # what failed before it could be put down in the run's folder
        if outcome.how == "failed" and outcome.job.folder not in told:
            console.print(f"[bold red]failed[/] {escape(outcome.job.title)}: {escape(outcome.why)}", soft_wrap=True)
    of_suite = f" --suite {shlex.quote(suite)}" if suite else ""
    place = of_suite + ("" if results == DEFAULT_RESULTS else f" --results {shlex.quote(str(results))}")
    console.print(
        f"{len(agenda.done)} of {len(agenda.done) + len(without)} runs have a record. "
        f"Tables and figures: mtbench report{place}",
        soft_wrap=True,
        highlight=False,
    )
    if without:
        raise typer.Exit(1)
