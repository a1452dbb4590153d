"""Shared parts of the commands that train: options read, and runs trained."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtbench.cli.completion import SETTINGS
from mtbench.errors import MtbenchError, Stopped, UsageError, did_you_mean

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
    "offer_preview",
    "parse_refresh",
    "prepare",
    "protocol_name",
    "settings",
    "stoppable",
]


def names(text: str) -> list[str]:
    """Return the names in a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def protocol_name(name: str, quick: bool) -> str:
    """Return the name of the training protocol that --protocol and --quick ask for.

    Raises:
        UsageError: they contradict each other.
    """
    if quick and name not in ("paper", "quick"):
        raise UsageError(f"--quick is short for --protocol quick, and --protocol {name} was given too.")
    return "quick" if quick else name


def settings(changes: Iterable[str], **short: str | int | None) -> Mapping[str, str]:
    """Return the settings of the training protocol that were given, as ``KEY=VALUE`` or by an option of their own.

    Raises:
        UsageError: a text is not of that form.
    """
    found = {name: str(value) for name, value in short.items() if value is not None}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not key:
            raise UsageError(
                f"--set is '{change}'.",
                mend="Write KEY=VALUE, as in --set lr=0.0005.",
                allowed=f"Keys: {', '.join(key.replace('_', '-') for key in SETTINGS)}.",
            )
        found[key] = value
    return found


def parse_refresh(texts: Iterable[str]) -> set[str]:
    """Return the states in which runs are to be retrained.

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
    from mtbench.engines.say import say
    from mtbench.plan.parse import dataset_of

    for spec in {str(spec.dataset): spec for spec in specs}.values():
        dataset_of(spec).open(root).prepare(lambda line: say(console, line, style="dim", markup=False))


def declared_line(suite: "Suite", results: Path) -> str:
    """Declare a suite in a results folder, unless it is declared there; return a line on the declaration.

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
    """Return the runs, sorted by their states; `refresh` has the states in which runs are to be retrained.

    Args:
        write: True if the ``spec.json`` of each run is written.
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


def announce(
    agenda: "Agenda",
    places: Sequence[str],
    root: Path,
    console: "Console",
    *,
    preview: "Callable[[], Sequence[RunSpec]] | None",
) -> None:
    """Print how many runs will be trained and the time that they take.

    Args:
        preview: returns the runs of the same command with the protocol ``quick``; None if it is the protocol already.
    """
    from mtbench.cli.grid import LONG, announcement, expectation
    from mtbench.engines.forecast import estimate
    from mtbench.engines.say import say

    for line in announcement(agenda):
        say(console, line)
    if console.quiet or not agenda.todo:
        return
    seconds = estimate([run.spec for run in agenda.todo], root=root, slots=places)
    say(console, expectation(seconds, len(places), places[0]))
    if seconds is not None and seconds > LONG and preview:
        offer_preview(console, preview, seconds, root=root, places=places)


def offer_preview(
    console: "Console",
    preview: "Callable[[], Sequence[RunSpec]]",
    seconds: float,
    *,
    root: Path,
    places: Sequence[str],
    noun: str = "A preview",
) -> None:
    """Print the time that a preview takes, if there is one and it is shorter than the seconds of what was asked for."""
    from mtbench.engines.display import duration
    from mtbench.engines.forecast import estimate
    from mtbench.engines.say import say

    try:
        specs = preview()
    except MtbenchError:  # a dataset without such a protocol, or settings that do not fit it
        return
    shorter = estimate(specs, root=root, slots=places) if specs else None
    if shorter is not None and shorter < seconds:
        say(console, f"{noun} takes about {duration(shorter)}: add --quick to the same command.")


def execute(agenda: "Agenda", places: Sequence[str], root: Path, console: "Console", *, quiet: bool) -> "list[Outcome]":
    """Train the runs that are to be done, and show their progress.

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
    """Print why a command was stopped within the block, and end it with the exit code of an interrupt.

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
    """Training of the runs of a search, as ``mtbench run`` trains them, some at a time.

    Attributes:
        results: the folder of the runs.
        root: the folder of the data files.
        places: a device for each run that may be trained at a time.
        refresh: the states in which runs are to be retrained.
    """

    results: Path
    root: Path
    places: Sequence[str]
    refresh: set[str]
    console: "Console"
    quiet: bool

    def __call__(self, specs: "Sequence[RunSpec]", what: str) -> "list[RunStatus]":
        """Train the runs that have no record yet, and return the state of each in their order.

        Raises:
            Stopped: by Ctrl-C or SIGTERM.
        """
        from mtbench.cli.grid import announcement
        from mtbench.engines.say import say
        from mtbench.store.results import find_runs
        from mtbench.store.status import status_of

        agenda = agenda_of(specs, self.results, self.root, self.refresh, write=True)
        first, *others = announcement(agenda)
        for line in (f"{what[:1].upper()}{what[1:]}: {first}", *others):
            say(self.console, line)
        outcomes = execute(agenda, self.places, self.root, self.console, quiet=self.quiet)
        reasons = {outcome.job.folder: outcome.why for outcome in outcomes}
        folders = [folder.path for folder in find_runs(self.results, specs)]
        statuses = [status_of(folder, spec, self.root) for folder, spec in zip(folders, specs, strict=True)]
        # What kept a run from being done is in its folder, unless that is where nothing could be written.
        return [dataclasses.replace(run, why=run.why or reasons.get(run.folder, "")) for run in statuses]
