"""``mtbench run``, ``mtbench status`` and ``mtbench exec``."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.shared import DEFAULT_RESULTS, DataRoot, Device, Results, data_root
from mtbench.errors import Stopped, UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.engines.agenda import Agenda
    from mtbench.engines.pool import Outcome
    from mtbench.plan.spec import RunSpec
    from mtbench.store.status import RunStatus

__all__ = ["exec_", "run", "status"]


def run(
    dataset: Annotated[str, typer.Option("--dataset", help="Datasets, separated by commas.", metavar="NAMES")],
    methods: Annotated[
        str,
        typer.Option(
            "--methods", help="Methods, separated by commas, e.g. td:channels=6,branches+mgda.", metavar="NAMES"
        ),
    ] = "all",
    protocol: Annotated[
        str, typer.Option("--protocol", help="One of the dataset's protocols.", metavar="NAME")
    ] = "paper",
    quick: Annotated[bool, typer.Option("--quick", help="Short for --protocol quick.")] = False,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Short for --set epochs=...")] = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", help="A count such as 10, or a list such as 0,3,7.", metavar="SEEDS")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="A number of the protocol, e.g. lr=0.0005; may be repeated.", metavar="KEY=VALUE"),
    ] = None,
    gradient_scale: Annotated[
        str | None,
        typer.Option(
            "--gradient-scale",
            help="Length of the gradients that balancers combine: native, sum or matched.",
            metavar="SCALE",
        ),
    ] = None,
    backbone: Annotated[
        str, typer.Option("--backbone", help="Of methods that name none, e.g. vgg11:width=.25.", metavar="NAME")
    ] = "",
    results: Results = DEFAULT_RESULTS,
    root: DataRoot = None,
    device: Device = "auto",
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="Runs at a time; by default one per core, or as the GPUs allow.")
    ] = None,
    runs_per_device: Annotated[int, typer.Option("--runs-per-device", help="Runs that share one GPU.")] = 1,
    refresh: Annotated[
        list[str] | None,
        typer.Option(
            "--refresh", help="Do again what is stale, failed, damaged or all; separated by commas.", metavar="STATES"
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but problems and the summary.")] = False,
) -> None:
    """Train methods on datasets: every run that is asked for and not there yet, several at a time."""
    from rich.console import Console

    from mtbench.engines.slots import slots
    from mtbench.plan.grid import Request, parse_seeds, plan
    from mtbench.train.device import check_precision, choose_device

    console = Console(quiet=quiet)
    states = _parse_refresh(refresh or [])
    specs = plan(
        Request(
            methods=_names(methods),
            datasets=_names(dataset),
            protocol=_protocol(protocol, quick),
            settings=_settings(changes or [], epochs=epochs, gradient_scale=gradient_scale),
            seeds=None if seeds is None else parse_seeds(seeds),
            backbone=backbone,
        ),
        left_out=lambda line: console.print(line, style="dim", soft_wrap=True, highlight=False, markup=False),
    )
    places = slots(device, jobs, runs_per_device)
    for spec in specs:
        check_precision(choose_device(places[0]), spec.protocol.precision)
    if not dry_run:
        _prepare(specs, data_root(root), console)
    agenda = _survey(specs, results, data_root(root), states, write=not dry_run)
    _announce(agenda, places, data_root(root), console, is_quick=quick)
    if dry_run:
        return
    try:
        outcomes = _execute(agenda, places, data_root(root), console, quiet=quiet)
    except Stopped as cause:
        Console(stderr=True).print(str(cause), soft_wrap=True, highlight=False)
        raise typer.Exit(130) from None
    _summarise(_survey(specs, results, data_root(root), set(), write=False), outcomes, results)


def status(results: Results = DEFAULT_RESULTS, root: DataRoot = None) -> None:
    """Show which runs are missing, running, failed, damaged, stale or fresh, and why."""
    from rich.console import Console

    from mtbench.cli.grid import notes, table
    from mtbench.store.status import survey

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
    from rich.console import Console

    from mtbench.engines.display import Lines
    from mtbench.engines.job import execute
    from mtbench.engines.pool import Job
    from mtbench.store.folder import RunFolder

    titles = RunFolder(spec.parent).spec().titles
    job, lines = Job(folder=spec.parent, title=f"{titles.dataset} {titles.method}"), Lines(Console(), 1)
    execute(spec, data_root(root), device, lambda progress: lines.advanced(job, progress))
    lines.ended(job, "done", "")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _protocol(name: str, quick: bool) -> str:
    if quick and name not in ("paper", "quick"):
        raise UsageError(f"--quick is short for --protocol quick, and --protocol {name} was given too.")
    return "quick" if quick else name


def _settings(changes: Iterable[str], **short: str | int | None) -> Mapping[str, str]:
    settings = {name: str(value) for name, value in short.items() if value is not None}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not key:
            raise UsageError(f"--set is '{change}'.", allowed="It is KEY=VALUE, as in --set lr=0.0005.")
        settings[key] = value
    return settings


def _parse_refresh(texts: Iterable[str]) -> set[str]:
    from mtbench.engines.agenda import REFRESH

    states = {name for text in texts for name in _names(text)}
    for name in sorted(states - set(REFRESH)):
        raise UsageError(
            f"--refresh is '{name}'.", mend=did_you_mean(name, REFRESH), allowed=f"Allowed: {', '.join(REFRESH)}."
        )
    return states


def _prepare(specs: "Sequence[RunSpec]", root: Path, console: "Console") -> None:
    from mtbench.plan.parse import parse_dataset

    for dataset in dict.fromkeys(str(spec.dataset) for spec in specs):
        parse_dataset(dataset).open(root).prepare(
            lambda line: console.print(line, style="dim", soft_wrap=True, highlight=False, markup=False)
        )


def _survey(specs: "Sequence[RunSpec]", results: Path, root: Path, refresh: set[str], *, write: bool) -> "Agenda":
    from mtbench.engines.agenda import make_agenda
    from mtbench.store.results import check_results, find_runs, mark_results
    from mtbench.store.status import status_of

    (mark_results if write else check_results)(results)
    runs: list[RunStatus] = []
    for folder, spec in zip(find_runs(results, specs), specs, strict=True):
        if write:
            folder.write_spec(spec)
        runs.append(status_of(folder.path, spec, root))
    return make_agenda(runs, refresh)


def _announce(agenda: "Agenda", places: Sequence[str], root: Path, console: "Console", *, is_quick: bool) -> None:
    from mtbench.cli.grid import LONG, announcement, expectation
    from mtbench.engines.agenda import estimate

    for line in announcement(agenda):
        console.print(line, soft_wrap=True, highlight=False)
    if console.quiet or not agenda.todo:
        return
    seconds = estimate([run.spec for run in agenda.todo], root=root, slots=places)
    console.print(expectation(seconds, len(places), places[0]), soft_wrap=True, highlight=False)
    if seconds is not None and seconds > LONG and not is_quick:
        console.print("For a first look in a minute or two, give the same command --quick.", soft_wrap=True)


def _execute(
    agenda: "Agenda", places: Sequence[str], root: Path, console: "Console", *, quiet: bool
) -> "list[Outcome]":
    from mtbench.engines.agenda import job, supersede
    from mtbench.engines.display import choose_display
    from mtbench.engines.pool import run_all
    from mtbench.store.folder import RunFolder

    for run in agenda.done:
        RunFolder(run.folder).tidy_up()
    for run in agenda.again:
        supersede(run, root)
    if not agenda.todo:
        return []
    with choose_display(console, len(agenda.todo), quiet=quiet) as display:
        return run_all([job(run) for run in agenda.todo], root=root, slots=places, listener=display)


def _summarise(agenda: "Agenda", outcomes: "Sequence[Outcome]", results: Path) -> None:
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
    place = "" if results == DEFAULT_RESULTS else f" --results {results}"
    console.print(
        f"{len(agenda.done)} of {len(agenda.done) + len(without)} runs have a record. "
        f"Tables and figures: mtbench report{place}",
        soft_wrap=True,
        highlight=False,
    )
    if without:
        raise typer.Exit(1)
