"""Shared parts of the commands that train: options read, and runs trained."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtbench.cli.base.completion import SETTINGS
from mtbench.door.given import names
from mtbench.errors import MtbenchError, Stopped, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.door.training.work import Work
    from mtbench.engines.agenda import Agenda
    from mtbench.engines.chosen import Execution
    from mtbench.plan.spec import RunSpec
    from mtbench.plan.suite import Suite

__all__ = [
    "announce",
    "declared_line",
    "offer_preview",
    "parse_refresh",
    "protocol_name",
    "settings",
    "stoppable",
    "work_of",
]


def protocol_name(name: str, quick: bool) -> str:
    """Return the name of the training protocol that --protocol and --quick ask for; "paper" if none is named.

    Raises:
        UsageError: they contradict each other.
    """
    if quick and name not in ("", "quick"):
        raise UsageError(f"--quick is short for --protocol quick, and --protocol {name} was given too.")
    return "quick" if quick else name or "paper"


def settings(changes: Iterable[str], **short: str | int | None) -> Mapping[str, str]:
    """Return the settings of the training protocol that were given, as ``KEY=VALUE`` or by an option of their own.

    Raises:
        UsageError: a text is not of that form, or a setting is given two values.
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
        name = key.replace("-", "_")
        if found.get(name, value) != value:
            raise UsageError(f"setting '{key}' is given twice, as {found[name]} and as {value}.", mend="Give it once.")
        found[name] = value
    return found


def parse_refresh(texts: Iterable[str]) -> set[str]:
    """Return the states in which runs are to be retrained.

    Raises:
        UsageError: there is no such state.
    """
    from mtbench.door.training.work import check_refresh

    states = {name for text in texts for name in names(text)}
    check_refresh(states, option="--refresh")
    return states


def work_of(
    *,
    results: Path,
    root: Path,
    execution: "Execution",
    refresh: set[str],
    console: "Console",
    quiet: bool,
    observe: Callable[[Sequence[Path]], None] = lambda _: None,
) -> "Work":
    """Return the work of a command, whose progress is printed on a console."""
    from mtbench.cli.training.shown.grid import announcement
    from mtbench.door.training.work import Work
    from mtbench.engines.screen.display import choose_display
    from mtbench.engines.screen.say import say

    def announce(what: str, agenda: "Agenda") -> None:
        first, *others = announcement(agenda)
        for line in (f"{what[:1].upper()}{what[1:]}: {first}", *others):
            say(console, line)

    return Work(
        results=results,
        root=root,
        execution=execution,
        refresh=refresh,
        display=lambda total: choose_display(console, total, quiet=quiet),
        announce=announce,
        say=lambda line: say(console, line, style="dim", markup=False),
        observe=observe,
    )


def declared_line(suite: "Suite", results: Path) -> str:
    """Declare a suite in a results folder, unless it is declared there; return a line on the declaration.

    Raises:
        DamagedRecord, NewerResults, StoreError: see `mtbench.store.suites.declaration.declare`.
    """
    from rich.markup import escape

    from mtbench.store.suites.declaration import changes, declaration_path, declare

    declared = declare(results, suite)
    path, when = declaration_path(results, suite.name), declared.at.partition("T")[0]
    since = f" [yellow]Changed since: {'; '.join(found)}.[/]" if (found := changes(declared, suite)) else ""
    return f"Declared on {when}: grid, claims and margins, in {escape(str(path))}.{since}"


def announce(
    agenda: "Agenda",
    work: "Work",
    console: "Console",
    *,
    preview: "Callable[[], Sequence[RunSpec]] | None",
    dry_run: bool = False,
) -> None:
    """Print how many runs will be trained, the time that they take, and the disk space that they need if it is large.

    Args:
        dry_run: True to print the disk space in any case.
        preview: returns the runs of the same command with the protocol ``quick``; None if there is no such command.
    """
    from mtbench.cli.training.shown.grid import LONG, announcement, expectation
    from mtbench.engines.screen.say import say
    from mtbench.engines.space import LARGE, space_of, space_text

    for line in announcement(agenda):
        say(console, line)
    if console.quiet or not agenda.todo:
        return
    specs, places, root = [run.spec for run in agenda.todo], work.places, work.root
    needed = space_of(specs, len(places))
    if dry_run or needed.total >= LARGE:
        say(console, space_text(needed, work.results), markup=False)
    if not work.execution.engine.is_local:
        return  # the speeds of this machine are not those of the runs
    seconds = work.seconds(specs)
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
    from mtbench.engines.forecast import estimate
    from mtbench.engines.screen.display import duration
    from mtbench.engines.screen.say import say

    try:
        specs = preview()
    except MtbenchError:  # a dataset without such a protocol, or settings that do not fit it
        return
    shorter = estimate(specs, root=root, slots=places) if specs else None
    if shorter is not None and shorter < seconds:
        say(console, f"{noun} takes about {duration(shorter)}: add --quick to the same command.")


@contextmanager
def stoppable() -> Iterator[None]:
    """Print why a command was stopped within the block, and end it with the exit code of an interrupt.

    Raises:
        typer.Exit: it was stopped.
    """
    from mtbench.engines.screen.say import Visible

    try:
        yield
    except Stopped as cause:
        Visible(stderr=True).print(str(cause), soft_wrap=True, highlight=False)
        raise typer.Exit(130) from None
