"""Shared parts of the commands that train: reading what was asked, and doing the runs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtbench.errors import Stopped, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.door.work import Work
    from mtbench.engines.agenda import Agenda
    from mtbench.plan.suite import Suite

__all__ = ["announce", "declared_line", "names", "parse_refresh", "protocol_name", "settings", "stoppable", "work_of"]


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
    from mtbench.door.work import check_refresh

    states = {name for text in texts for name in names(text)}
    check_refresh(states, option="--refresh")
    return states


def work_of(
    *, results: Path, root: Path, places: Sequence[str], refresh: set[str], console: "Console", quiet: bool
) -> "Work":
    """Return the work of a command, which shows on a console how it gets on."""
    from mtbench.cli.grid import announcement
    from mtbench.door.work import Work
    from mtbench.engines.display import choose_display

    def announce(what: str, agenda: "Agenda") -> None:
        first, *others = announcement(agenda)
        for line in (f"{what[:1].upper()}{what[1:]}: {first}", *others):
            console.print(line, soft_wrap=True, highlight=False)

    return Work(
        results=results,
        root=root,
        places=places,
        refresh=refresh,
        display=lambda total: choose_display(console, total, quiet=quiet),
        announce=announce,
        say=lambda line: console.print(line, style="dim", soft_wrap=True, highlight=False, markup=False),
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


def announce(agenda: "Agenda", places: Sequence[str], root: Path, console: "Console", *, is_quick: bool) -> None:
    """Say what will be done and how long it will take."""
    from mtbench.cli.grid import LONG, announcement, expectation
    from mtbench.engines.forecast import estimate

    for line in announcement(agenda):
        console.print(line, soft_wrap=True, highlight=False)
    if console.quiet or not agenda.todo:
        return
    seconds = estimate([run.spec for run in agenda.todo], root=root, slots=places)
    console.print(expectation(seconds, len(places), places[0]), soft_wrap=True, highlight=False)
    if seconds is not None and seconds > LONG and not is_quick:
        console.print("For a first look in a minute or two, give the same command --quick.", soft_wrap=True)


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
