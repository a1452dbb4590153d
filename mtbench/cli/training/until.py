"""``mtbench run --until-decided``: seeds that are added until the claims of a suite are decided."""

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mtbench.cli.base.shared import DEFAULT_RESULTS
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mtbench.door.training.until import Look, UntilDecided
    from mtbench.door.training.work import Work
    from mtbench.report.exhibits.claims.judged import Judged
    from mtbench.store.suites.looks import LookPlan

__all__ = ["Looks", "MaxSeeds", "Until", "check_options", "run_until_decided"]

_PANEL = "Seeds until claims are decided"
Until: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--until-decided",
        help="Add seeds until the claims of --suite are decided, at looks that are sealed before the first one.",
        rich_help_panel=_PANEL,
    ),
]
MaxSeeds: TypeAlias = Annotated[
    int | None,
    typer.Option("--max-seeds", help="Seeds at the last look; by default 20.", metavar="COUNT", rich_help_panel=_PANEL),
]
Looks: TypeAlias = Annotated[
    str,
    typer.Option(
        "--looks",
        help="Seeds at each look; by default 3,5,8,12,20.",
        metavar="COUNTS",
        rich_help_panel=_PANEL,
    ),
]


def check_options(until_decided: bool, suite: str, seeds: str | None, max_seeds: int | None, looks: str) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: they do.
    """
    if not until_decided:
        given = {"--max-seeds": max_seeds is not None, "--looks": bool(looks)}
        for option in (option for option, there in given.items() if there):
            raise UsageError(
                f"{option} was given without --until-decided.", mend="Add --until-decided, or give --seeds instead."
            )
    elif not suite:
        raise UsageError(
            "--until-decided was given without a suite, whose claims are to be decided.",
            mend="Name one that has claims: --suite NAME; `mtbench suite list` lists them.",
        )
    elif seeds is not None:
        raise UsageError(
            "--seeds and --until-decided were both given, and the looks determine the seeds.",
            mend="Give --max-seeds or --looks instead of --seeds.",
        )


def run_until_decided(until: "UntilDecided", work: "Work", out: "Console", *, name: str, dry_run: bool) -> None:
    """Train and judge look by look, and print each look.

    Args:
        until: the suite, and the looks that were asked for.
        work: place and manner of training.
        out: the console.
        name: the suite as on the command line.
        dry_run: True to print the looks and their runs only.

    Raises:
        UsageError, StoreError: see `mtbench.door.training.until.UntilDecided`.
        typer.Exit: a claim is neither decided nor at the last look, as runs lack.
    """
    from mtbench.cli.training.execution import declared_line, stoppable
    from mtbench.engines.screen.say import say

    plan = until.sealed() or until.new_plan()
    specs = until.specs(plan.looks)
    work.check(specs)
    _say_untrained(until, out, name)
    if dry_run:
        _preview(until, plan, work, out)
        return
    work.check_waits()
    say(out, declared_line(until.suite, until.results), style="dim")
    plan = until.seal(work)
    say(out, _sealed_line(plan, until.path), style="dim", markup=False)
    work.prepare(specs)
    judged: Sequence[Judged] = ()
    with stoppable():
        for look in until.follow(plan, work):
            judged = look.judged
            _say_look(look, plan, out)
    _conclude(judged, name, until.results)


def _say_untrained(until: "UntilDecided", out: "Console", name: str) -> None:
    """Print which parts of the suite the looks leave out, if there are any."""
    from mtbench.engines.screen.say import say

    count = until.idle
    left = [f"{count} method{'s' * (count > 1)} of its grid that no claim is about"] if count else []
    left += ["its searches"] if until.suite.search else []
    if left:
        command = f"mtbench run --suite {shlex.quote(name)}"
        say(out, f"Not trained here: {' and '.join(left)} (see {command}).", style="dim", markup=False)


def _sealed_line(plan: "LookPlan", path: Path) -> str:
    from mtbench.report.exhibits.claims.looks_page import plan_in_words

    return f"{plan_in_words(plan)} They are in {path}."


def _preview(until: "UntilDecided", plan: "LookPlan", work: "Work", out: "Console") -> None:
    """Print each look with the runs that it needs if no claim is decided before."""
    from mtbench.cli.base.shared import grid
    from mtbench.engines.screen.display import duration
    from mtbench.engines.screen.say import say

    sealed = f"sealed in {until.path}" if plan.at else f"not sealed yet; the command seals them in {until.path}"
    say(out, f"Looks at {plan.listed} seeds, {sealed}.", markup=False)
    table = grid("look", "seeds", "runs", "to do", "time")
    before = 0
    specs = until.specs(plan.looks)
    for place, count in enumerate(plan.looks):
        new = [spec for spec in specs if before <= spec.seed < count]
        todo = work.agenda(new, write=False).todo
        seconds = work.seconds([run.spec for run in todo]) if todo else 0.0
        time = "unknown" if seconds is None else duration(seconds)
        table.add_row(str(place + 1), f"{before} to {count - 1}", str(len(new)), str(len(todo)), time)
        before = count
    out.print(table)
    say(out, "Each row is for the case that no claim is decided before.", markup=False)


def _say_look(look: "Look", plan: "LookPlan", out: "Console") -> None:
    from mtbench.cli.training.shown.grid import notes
    from mtbench.engines.screen.say import say

    for line in notes([run for run in look.statuses if run.record is None]):
        say(out, line)
    count = plan.looks[look.place]
    say(out, f"Look {look.place + 1} of {len(plan.looks)}, {count} seeds:", markup=False)
    out.print(_table([look.judged[index] for index in look.open], look.place))


def _table(judged: "Sequence[Judged]", place: int | None = None) -> "Table":
    """Return a table of claims; at a look with what becomes of each, at the end with the look of its verdict."""
    from rich.markup import escape

    from mtbench.cli.base.shared import grid

    table = grid("claim", "n", "estimate", "repeated 95 %", "t", "bound", "p", "verdict", "holds")
    for column in table.columns[1:7]:
        column.justify = "right"
    for each in judged:
        table.add_row(*map(escape, _cells(each, place)))
    return table


def _cells(each: "Judged", place: int | None) -> Iterator[str]:
    from mtbench.report.exhibits.claims.looks_page import interval_in_words
    from mtbench.report.page.words import DASH
    from mtbench.report.text import decimals, fixed, p_value, signed

    course = each.course
    assert course is not None
    step = course.last if place is None or (course.last and course.last.look == place) else None
    yield each.name
    if step is None:
        looks = course.rule.looks
        lacking = looks[course.lacking or 0]
        yield from (f"{each.ours.n}/{lacking}" if place == 0 else DASH, *[DASH] * 5, "not judged: runs lack", "open")
        return
    digits = decimals([step.contrast.difference], each.unit)
    yield str(step.contrast.n)
    yield signed(course.estimate, digits)
    yield interval_in_words(step.wide, digits)
    yield DASH if math.isnan(step.t) else signed(step.t)
    yield DASH if math.isnan(step.bound) else fixed(step.bound)
    yield p_value(step.adjusted.difference)
    yield each.verdict.word
    yield each.holds


def _conclude(judged: "Sequence[Judged]", name: str, results: Path) -> None:
    """Print all claims, and the command that comes next.

    Raises:
        typer.Exit: a claim lacks runs.
    """
    from mtbench.cli.base.shared import console
    from mtbench.engines.screen.say import say

    out = console()
    counts: Mapping[str, int] = {
        "decided": sum(bool(each.course and each.course.decided) for each in judged),
        "undecided after the last look": sum(
            bool(each.course and each.course.ended and not each.course.decided) for each in judged
        ),
        "not judged to the end, since runs lack": sum(not (each.course and each.course.ended) for each in judged),
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    say(out, f"{len(judged)} claim{'s' * (len(judged) != 1)}: {said}.", markup=False)
    out.print(_table(judged))
    place = "" if results == DEFAULT_RESULTS else f" {shlex.quote(str(results))}"
    say(out, f"Tables and figures: mtbench report --suite {shlex.quote(name)}{place}", markup=False)
    if counts["not judged to the end, since runs lack"]:
        say(out, "Failed runs are retrained with --refresh failed; the same command then goes on.", markup=False)
        raise typer.Exit(1)
