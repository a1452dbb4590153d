"""``mtbench certify``: a method checked, and compared with references at equal budgets, in one page and a pack."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base import completion
from mtbench.cli.base.shared import (
    DEFAULT_RESULTS,
    WHAT,
    WHERE,
    DataRoot,
    Device,
    DryRun,
    Jobs,
    Quiet,
    Refresh,
    Results,
    RunsPerDevice,
    console,
    data_root,
)
from mtbench.cli.training.execution import parse_refresh, stoppable, work_of
from mtbench.cli.training.options.engine import execution_of

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.door.training.work import Work
    from mtbench.plan.certificate.rows import Plan
    from mtbench.report.certificate.facts import Check
    from mtbench.search.planning import StudyPlan

__all__ = ["EXAMPLES", "certify"]

EXAMPLES = """Examples:

  mtbench certify mine --dry-run
  mtbench certify mine
  mtbench certify branches+pcgrad --size world --out certificates/pcgrad
  mtbench certify mine:depth=2 --results results/mine
"""


def certify(
    method: Annotated[
        str,
        typer.Argument(
            help="Method, with options if wanted, e.g. mine:depth=2 or branches+pcgrad.",
            metavar="METHOD",
            autocompletion=completion.methods,
        ),
    ],
    size: Annotated[
        str,
        typer.Option(
            "--size",
            help="Amount of training: tiny (a minute, which shows that everything works), small (half an hour on two "
            "cores), medium (hours), or world (days).",
            metavar="NAME",
            rich_help_panel=WHAT,
        ),
    ] = "small",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the certificate; by default reports/local/certificate-METHOD-SIZE.",
            metavar="DIR",
            rich_help_panel=WHERE,
        ),
    ] = None,
    results: Results = DEFAULT_RESULTS,
    root: DataRoot = None,
    device: Device = "auto",
    jobs: Jobs = None,
    runs_per_device: RunsPerDevice = 1,
    refresh: Refresh = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Check a method, train it beside single-task, uniform and tuned scalarization, and write one page of verdicts.

    It makes the checks of `mtbench check` first; if one fails nothing is trained. Then the method and its references
    are trained on problems and worlds that are made here, so that nothing is downloaded, and compared with equal
    epochs, labels and multiply-accumulates. The page states what the size shows and what it does not; the pack
    beside it has every run. The same command resumes. The exit code is 1 if a check fails or a run has no record.
    """
    from mtbench.door.training.certify import certify as make
    from mtbench.door.training.certify import name_of, search_plans, write_refused
    from mtbench.engines.screen.output import outlive_output
    from mtbench.engines.screen.say import say
    from mtbench.plan.certificate.rows import plan_certificate
    from mtbench.plan.certificate.sizes import find_size
    from mtbench.report.certificate.pages import certificate_pages
    from mtbench.report.page.terminal import print_page
    from mtbench.report.place import DEFAULT_REPORTS

    outlive_output()
    screen = console(quiet=quiet)
    plan = plan_certificate(method, find_size(size))
    searches = search_plans(plan)
    work = work_of(
        results=results,
        root=data_root(root),
        execution=execution_of("local", device=device, jobs=jobs, runs_per_device=runs_per_device),
        refresh=parse_refresh(refresh or []),
        console=screen,
        quiet=quiet,
    )
    _announce(plan, searches, work, screen)
    if dry_run:
        return
    words = ["mtbench", "certify", method, "--size", size]
    words += [
        word for name, given in (("--out", out), ("--results", results)) if _given(given) for word in (name, str(given))
    ]
    command, folder = shlex.join(words), out or DEFAULT_REPORTS / name_of(plan)
    checks = _checked(method, work.root, screen)
    if any(check.fault for check in checks):
        made = write_refused(plan, checks, folder, command=command)
    else:
        with stoppable():
            made = make(plan, checks, work, folder, command=command)
    last = console()
    for stem, page in certificate_pages(made.facts).items():
        if stem != "conformance" or not made.facts.conforms:
            print_page(page, last)
            last.print()
    say(last, f"Written to {folder}: {', '.join(file.name for file in made.files)}", markup=False)
    if not made.facts.conforms:
        say(last, "The method does not conform: nothing was trained. docs/checks.md explains each check.")
    if not made.facts.conforms or made.facts.missing:
        raise typer.Exit(1)


def _given(path: Path | None) -> bool:
    return path not in (None, DEFAULT_RESULTS)


def _announce(plan: "Plan", searches: "Sequence[StudyPlan]", work: "Work", screen: "Console") -> None:
    """Print the datasets, the rows, what is left out, and the time that is left."""
    from rich.markup import escape

    from mtbench.cli.base.shared import grid
    from mtbench.cli.training.shown.grid import expectation
    from mtbench.door.training.certify import planned_runs
    from mtbench.engines.screen.say import say
    from mtbench.engines.space import space_of, space_text
    from mtbench.search.remaining import finished_trials, remaining_runs

    say(screen, f"Certificate of {plan.title}, size {plan.size.name}: {plan.size.about}.", markup=False)
    table = grid("dataset", "against", "equal", "epochs")
    for part in plan.parts:
        for index, row in enumerate(part.rows):
            spec = row.specs[0]
            cells = (
                spec.titles.dataset if not index else "",
                row.title,
                ", ".join(row.equal),
                str(spec.protocol.epochs),
            )
            table.add_row(*map(escape, cells))
    screen.print(table)
    for name, why in plan.left_out.items():
        say(screen, f"Left out, {name}: {why}", style="dim", markup=False)
    trials = sum(each.trials for each in searches)
    left = sum(each.trials - finished_trials(each, work.results) for each in searches)
    specs = planned_runs(plan, searches)
    todo = [run.spec for run in work.statuses(specs) if run.record is None]
    say(
        screen,
        f"{len(specs)} runs, {plan.size.seeds} seeds of each row, tuned rows included: {len(todo)} to do. "
        f"{trials} trials of searches for task weights: {left} to do.",
        markup=False,
    )
    todo += [spec for each in searches for spec in remaining_runs(each, work.results)]
    if screen.quiet or not todo:
        return
    say(screen, space_text(space_of(todo, len(work.places)), work.results), markup=False)
    seconds = work.seconds(todo)
    say(screen, expectation(seconds, len(work.places), work.places[0]))


def _checked(method: str, root: Path, screen: "Console") -> "list[Check]":
    """Make the checks of conformance, and print those that fail."""
    from rich.markup import escape

    from mtbench.conformance import examine
    from mtbench.engines.screen.say import say
    from mtbench.report.certificate.facts import Check

    found = []
    for result in examine(method, root=root):
        found.append(Check(says=result.check, fault=result.fault))
        if result.fault:
            say(screen, f"[bold red]failed[/]  {escape(result.check)}: {escape(result.fault)}")
    passed = sum(not check.fault for check in found)
    say(screen, f"Conformance: {passed} of {len(found)} checks passed.")
    return found
