"""``mtbench report --convention``: tables by the rules of published code."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.report.data.choices import Choices
    from mtbench.report.data.conventions.convert import Asked
    from mtbench.report.data.studies import StudyRuns
    from mtbench.report.data.suite.runs import SuiteRuns
    from mtbench.store.status import RunStatus

__all__ = ["runs_of_suite", "tables", "tables_of_suite"]


def tables(
    name: str,
    statuses: "Sequence[RunStatus]",
    asked: "Asked",
    out: Path | None,
    choices: "Choices",
    console: "Console",
) -> list[Path]:
    """Print and write the tables of all datasets that have a convention; returns the files.

    Raises:
        UsageError: none has it, or what is asked of Δm contradicts it.
    """
    from mtbench.engines.say import say
    from mtbench.report.assemble import assemble
    from mtbench.report.data.comparison import compare
    from mtbench.report.data.conventions.convert import converted
    from mtbench.report.exhibit import Results

    found, left_out = converted(compare(statuses), name, asked)
    made = assemble(Results(comparisons=tuple(found), choices=choices, convention=name))
    made.print(console)
    if left_out:
        say(console, left_out, style="dim", markup=False)
    return made.write(out)


def tables_of_suite(
    suite: str,
    name: str,
    results: Path,
    statuses: "Sequence[RunStatus]",
    asked: "Asked",
    out: Path | None,
    choices: "Choices",
    console: "Console",
) -> list[Path]:
    """Print and write the tables of a suite by a convention, with what was published beside them; returns the files.

    Raises:
        UsageError: there is no run of the suite, none of its datasets has the convention, or what is asked of Δm
            contradicts it.
    """
    from mtbench.report.assemble import assemble
    from mtbench.report.data.conventions.convert import converted_suite
    from mtbench.report.exhibit import Results

    files: list[Path] = []
    for runs in runs_of_suite(suite, results, statuses, ()):
        made = assemble(Results.of_suite(converted_suite(runs, name, asked), choices=choices, convention=name))
        made.print(console)
        files += made.write(out)
    return files


def runs_of_suite(
    name: str, results: Path, statuses: "Sequence[RunStatus]", studies: "Sequence[StudyRuns]"
) -> "list[SuiteRuns]":
    """Return the runs that belong to a suite, by size.

    Args:
        results: the folder of the runs, where the suite may be declared.

    Raises:
        DamagedRecord, NewerResults: see `mtbench.store.declaration.read_declaration`.
        UsageError: there is no such suite, or there are no runs of it.
    """
    from mtbench.plan.suite.file import find_suite
    from mtbench.report.data.suite.runs import suite_runs
    from mtbench.store.declaration import read_declaration

    suite = find_suite(name)
    found = suite_runs(suite, statuses, studies, read_declaration(results, suite.name))
    if not found:
        raise UsageError(
            f"none of the runs there belongs to suite '{name}'.",
            mend=f"Train some: mtbench run --suite {shlex.quote(name)} --quick; or name their folder: "
            "mtbench report DIR.",
        )
    return found
