"""Suites whose rows take task weights from the runs of other rows: first these runs, then the rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.cli.training.options.asked import Asked
    from mtbench.door.training.staged import Waiting
    from mtbench.door.training.work import Work
    from mtbench.engines.engine import Outcome
    from mtbench.plan.spec import RunSpec
    from mtbench.plan.suite.stages.resolution import Resolution

__all__ = ["known_weights", "say_waiting", "train_second_stage", "waiting_rows"]


def known_weights(asked: "Asked", work: "Work", out: "Console", *, write: bool) -> "Sequence[Resolution]":
    """Return the task weights that rows take from runs that have finished.

    Args:
        write: True to seal those that are not sealed yet, and to print them.

    Raises:
        UsageError, StoreError: see `mtbench.door.training.staged.Staged.resolve`.
    """
    if asked.staged is None:
        return ()
    before = asked.staged.sealed(work)
    if not write:
        return before
    found = asked.staged.resolve(work)
    _say_sealed([each for each in found if each not in before], out)
    return found


def train_second_stage(
    asked: "Asked", work: "Work", out: "Console", before: "Sequence[RunSpec]"
) -> "tuple[Sequence[RunSpec], Sequence[Outcome]]":
    """Train the rows whose first stage has finished by now, and return their runs with what became of them.

    Args:
        asked: the runs that the command is to do.
        work: place and manner of training.
        out: the console.
        before: the runs that were trained already.

    Raises:
        UsageError, StoreError: see `mtbench.door.training.staged.Staged.resolve`.
        Stopped: Ctrl-C or SIGTERM was received.
    """
    from mtbench.cli.training.execution import announce

    if asked.staged is None:
        return (), ()
    known = {spec.id for spec in before}
    specs = [spec for spec in asked.staged.specs(known_weights(asked, work, out, write=True)) if spec.id not in known]
    if not specs:
        return (), ()
    work.check(specs)
    work.prepare(specs)
    agenda = work.agenda(specs, write=True)
    announce(agenda, work, out, preview=None)
    return specs, work.execute(agenda)


def waiting_rows(asked: "Asked", work: "Work") -> "Sequence[Waiting]":
    """Return the rows whose first stage has not finished."""
    return asked.staged.waiting(asked.staged.sealed(work), work) if asked.staged else ()


def say_waiting(waiting: "Sequence[Waiting]", out: "Console") -> None:
    """Print the rows that wait for the runs of others, and the number of their runs."""
    from mtbench.engines.screen.say import say

    count = sum(row.runs for row in waiting)
    if not count:
        return
    verb = "run comes" if count == 1 else "runs come"
    say(out, f"{count} {verb} after others, whose task weights they take:", markup=False)
    for row in waiting:
        runs = "1 run" if row.runs == 1 else f"{row.runs} runs"
        say(out, f"  {row.method} on {row.dataset}: {runs}, {row.why}", markup=False)


def _say_sealed(resolutions: "Sequence[Resolution]", out: "Console") -> None:
    from mtbench.engines.screen.say import say

    for each in resolutions:
        count = len(each.runs)
        runs = "the 1 run" if count == 1 else f"the {count} runs"
        say(
            out,
            f"Sealed: {each.method} on {each.dataset} has the weights {each.listed} ({'/'.join(each.tasks)}), the mean "
            f"over {runs} of {each.first}.",
            style="dim",
            markup=False,
        )
