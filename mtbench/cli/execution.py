"""Shared parts of the commands that train: reading what was asked, and doing the runs."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtbench.errors import Stopped, UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.engines.agenda import Agenda
    from mtbench.engines.pool import Outcome
    from mtbench.plan.spec import RunSpec
    from mtbench.plan.suite import Suite
    from mtbench.store.status import RunStatus

__all__ = [
    "Performer",
    "agenda_of",
    "announce",
    "declared_line",
    "execute",
    "names",
    "parse_refresh",
    "prepare",
    "protocol_name",
    "settings",
    "stoppable",
]


def names(text: str) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def protocol_name(name: str, quick: bool) -> str:
    """The protocol's name, for which --quick is short if it is quick.

    Raises:
        UsageError: --quick, and another protocol.
    """
    if quick and name not in ("paper", "quick"):
        raise UsageError(f"--quick is short for --protocol quick, and --protocol {name} was given too.")
    return "quick" if quick else name


def settings(changes: Iterable[str], **short: str | int | None) -> Mapping[str, str]:
    """The numbers of the protocol that are to differ, from ``KEY=VALUE`` texts and options that are short for them.

    Raises:
        UsageError: a text is not of that form.
    """
    found = {name: str(value) for name, value in short.items() if value is not None}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not key:
            raise UsageError(f"--set is '{change}'.", allowed="It is KEY=VALUE, as in --set lr=0.0005.")
        found[key] = value
    return found


def parse_refresh(texts: Iterable[str]) -> set[str]:
    """The states in which runs are to be done again.

    Raises:
        UsageError: there is no such state.
    """
    from mtbench.engines.agenda import REFRESH

    states = {name for text in texts for name in names(text)}
    for name in sorted(states - set(REFRESH)):
        raise UsageError(
            f"--refresh is '{name}'.", mend=did_you_mean(name, REFRESH), allowed=f"Allowed: {', '.join(REFRESH)}."
        )
    return states


def prepare(specs: "Sequence[RunSpec]", root: Path, console: "Console") -> None:
    """Fetch or make the data files of the runs."""
    from mtbench.plan.parse import dataset_of

    for spec in {str(spec.dataset): spec for spec in specs}.values():
        dataset_of(spec).open(root).prepare(
            lambda line: console.print(line, style="dim", soft_wrap=True, highlight=False, markup=False)
        )


def declared_line(suite: "Suite", results: Path) -> str:
    """Declare a suite in a results folder, unless it is declared there; return a line that says so.

    Raises:
        DamagedRecord, NewerResults, StoreError: see `mtbench.store.declaration.declare`.
    """
    from rich.markup import escape

    from mtbench.store.declaration import changes, declaration_path, declare

    declared = declare(results, suite)
    path, when = declaration_path(results, suite.name), declared.at.partition("T")[0]
    since = f" [yellow]Changed since: {'; '.join(found)}.[/]" if (found := changes(declared, suite)) else ""
    return f"Declared on {when}: grid, claims and margins, in {escape(str(path))}.{since}"


def agenda_of(specs: "Sequence[RunSpec]", results: Path, root: Path, refresh: set[str], *, write: bool) -> "Agenda":
    """Return what is to become of each run, given the states that are to be done again.

    Args:
        write: whether each run's ``spec.json`` is put down.
    """
    from mtbench.engines.agenda import make_agenda
    from mtbench.store.fingerprint import code
    from mtbench.store.results import check_results, find_runs, mark_results
    from mtbench.store.status import status_of

    (mark_results if write else check_results)(results)
    runs: list[RunStatus] = []
    codes = cache(code)
    for folder, spec in zip(find_runs(results, specs), specs, strict=True):
        if write:
            folder.write_spec(spec)
        runs.append(status_of(folder.path, spec, root, codes))
    return make_agenda(runs, refresh)


def announce(agenda: "Agenda", places: Sequence[str], root: Path, console: "Console", *, is_quick: bool) -> None:
    """Say what will be done and how long it will take."""
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


def execute(agenda: "Agenda", places: Sequence[str], root: Path, console: "Console", *, quiet: bool) -> "list[Outcome]":
    """Do the runs that are to be done, and show how they get on.

    Raises:
        Stopped: by Ctrl-C or SIGTERM.
    """
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


@contextmanager
def stoppable() -> Iterator[None]:
    """Let a command that is stopped within the block say so, and end with the exit code of an interrupt.

    Raises:
        typer.Exit: it was stopped.
    """
    from rich.console import Console

    try:
        yield
    except Stopped as cause:
        Console(stderr=True).print(str(cause), soft_wrap=True, highlight=False)
        raise typer.Exit(130) from None


@dataclass(frozen=True, kw_only=True)
class Performer:
    """Does runs for a search as ``mtbench run`` does them, some at a time.

    Attributes:
        results: the folder of the runs.
        root: of the data files.
        places: a device for each run that may be at work at a time.
        refresh: the states in which runs are to be done again.
    """

    results: Path
    root: Path
    places: Sequence[str]
    refresh: set[str]
    console: "Console"
    quiet: bool

    def __call__(self, specs: "Sequence[RunSpec]", what: str) -> "list[RunStatus]":
        """Do the runs that are not done yet, and tell in what state each is then, in their order.

        Raises:
            Stopped: by Ctrl-C or SIGTERM.
        """
        from mtbench.cli.grid import announcement
        from mtbench.store.results import find_runs
        from mtbench.store.status import status_of

        agenda = agenda_of(specs, self.results, self.root, self.refresh, write=True)
        first, *others = announcement(agenda)
        for line in (f"{what[:1].upper()}{what[1:]}: {first}", *others):
            self.console.print(line, soft_wrap=True, highlight=False)
        outcomes = execute(agenda, self.places, self.root, self.console, quiet=self.quiet)
        told = {outcome.job.folder: outcome.why for outcome in outcomes}
        folders = [folder.path for folder in find_runs(self.results, specs)]
        statuses = [status_of(folder, spec, self.root) for folder, spec in zip(folders, specs, strict=True)]
        # What kept a run from being done is in its folder, unless that is where nothing could be written.
        return [dataclasses.replace(run, why=run.why or told.get(run.folder, "")) for run in statuses]
