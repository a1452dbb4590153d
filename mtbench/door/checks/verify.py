"""Checks of one results folder or pack, and the levels of trust that its runs earn by them."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtbench import __version__
from mtbench.door.checks.recompute import Recomputed, recompute
from mtbench.door.checks.rerun import BITS, INTERVAL, UNDECIDED, Rerun, rerun
from mtbench.door.checks.runs import FinishedRun, finished_runs
from mtbench.engines.screen.display import Display
from mtbench.errors import StoreError
from mtbench.store.trust import Earned, read_earned, write_earned
from mtbench.store.upkeep.verify import WRONG, Verified

__all__ = ["Checked", "check"]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The result of `check`.

    Attributes:
        recomputed: the runs whose metrics were derived again, by outcome; None if that was not asked for.
        reruns: the runs that were retrained.
        said: sentences on levels of trust that could not be read or written.
    """

    recomputed: Recomputed | None
    reruns: Sequence[Rerun]
    said: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """True if nothing differs."""
        differs = self.recomputed is not None and bool(self.recomputed.differing)
        return not differs and all(each.outcome in (BITS, INTERVAL, UNDECIDED) for each in self.reruns)


def check(
    results: Path,
    verified: Verified,
    root: Path,
    *,
    derive: bool,
    reruns: int,
    places: Callable[[], Sequence[str]],
    display: Callable[[int], Display],
    say: Callable[[str], None],
    salt: str = "",
) -> Checked:
    """Derive the metrics of runs again, train some again, and write the levels of trust that they earn.

    Args:
        results: the results folder or the pack.
        verified: the findings of `mtbench.store.upkeep.verify.verify` on its files.
        root: the folder of the data files.
        derive: True to derive every metric again.
        reruns: the number of runs to train again.
        places: returns a device for each run that may be at work at a time.
        display, say, salt: see `mtbench.door.checks.rerun.rerun`.

    Raises:
        StoreError, NewerResults: the results cannot be read.
        Stopped: Ctrl-C or SIGTERM was received.
    """
    runs = finished_runs(results)
    wrong = {finding.path.parent for finding in verified.findings if finding.kind == WRONG}
    recomputed = recompute(runs, root, wrong=wrong) if derive else None
    again = rerun(runs, reruns, root, places(), display=display, say=say, salt=salt) if reruns else []
    said: list[str] = []
    try:
        known = read_earned(results)
    except StoreError as cause:
        known = {}
        said.append(str(cause))
    earned = _earned(runs, wrong, known, recomputed, again)
    try:
        if earned or known:
            write_earned(results, earned)
    except StoreError as cause:
        said.append(f"The levels of trust are not kept: {cause}")
    return Checked(recomputed=recomputed, reruns=again, said=said)


def _earned(
    runs: Iterable[FinishedRun],
    wrong: set[Path],
    known: dict[str, Earned],
    recomputed: Recomputed | None,
    again: Iterable[Rerun],
) -> list[Earned]:
    """Return the entries of the runs that are there now: those of these checks, and earlier ones of runs that these
    checks have not refuted."""
    there = {run.sum: run for run in runs if run.folder.path not in wrong}
    found = {sum_: each for sum_, each in known.items() if sum_ in there}
    if recomputed is not None:
        for run, _ in recomputed.differing:
            found.pop(run.sum, None)
        for each in recomputed.earned():
            before = found.get(each.record)
            found[each.record] = dataclasses.replace(each, rerun=before.rerun if before else "")
    for one in again:
        run = one.run
        before = found.get(run.sum, Earned(run=run.name, record=run.sum, mtbench=__version__))
        if one.outcome in (BITS, INTERVAL) and run.sum in there:
            found[run.sum] = dataclasses.replace(before, rerun=one.outcome, mtbench=__version__)
        elif one.outcome != UNDECIDED:
            found.pop(run.sum, None)
    return list(found.values())
