"""A search from its first trial to what was chosen: rounds of trials, and then the winners trained again.

A round's trials are all proposed before any is run, and told in the order of their numbers when all are over, so that
what is proposed does not depend on how many run at a time or on when a process was killed.
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from mtbench.plan.spec import RunSpec
from mtbench.search.choice import choose
from mtbench.search.desk import Desk
from mtbench.search.planning import ROUND, StudyPlan
from mtbench.store.results import mark_results
from mtbench.store.status import RunStatus
from mtbench.store.study import Study

__all__ = ["Perform", "run_search"]


class Perform(Protocol):
    """A function that does runs, as ``mtbench run`` does."""

    def __call__(self, specs: Sequence[RunSpec], what: str) -> Sequence[RunStatus]:
        """Do the runs that are not done yet, and tell in what state each is then, in their order.

        Args:
            specs: each once.
            what: what they are, for people, e.g. ``trials 0 to 3``.

        Raises:
            Stopped: by Ctrl-C or SIGTERM.
        """


def run_search(plans: Sequence[StudyPlan], *, results: Path, perform: Perform) -> list[Study]:
    """Do the studies; trials that are there are left as they are. ``search.json`` is written around each round.

    All studies take a round each, and then the next, so that a search that is cut short has still given every method
    the same number of trials. What is chosen is trained again at the end, on all training images, with seeds of its
    own: these runs alone are ever looked at on the test split.

    Args:
        plans: from `mtbench.search.planning.plan_search`.
        results: the folder of the runs, and of the studies.

    Raises:
        Busy: another mtbench is at work on one of the studies.
        Stopped: as `perform` does; the same search goes on where it was.
        RunError: a run could not be done, for no fault of its own.
        StoreError: something cannot be read or written.
    """
    mark_results(results)
    with ExitStack() as leases:
        desks = [Desk(plan, results, leases) for plan in plans]
        for began in range(0, max(plan.trials for plan in plans), ROUND):
            _round(desks, began, perform)
        _train_again(desks, perform)
        return [desk.study() for desk in desks]


def _round(desks: Sequence[Desk], began: int, perform: Perform) -> None:
    asked = [(desk, number) for desk in desks for number in desk.ask(began)]
    if not asked:
        return
    working = list(dict.fromkeys(desk for desk, _ in asked))
    for desk in working:
        desk.write()  # a report that is made meanwhile knows by it which runs are trials
    specs = [spec for desk, number in asked for spec in desk.specs(number)]
    statuses = _perform(specs, _named(number for _, number in asked), perform)
    for desk, number in asked:
        desk.tell(number, [statuses[spec.id] for spec in desk.specs(number)])
    for desk in working:
        desk.write()


def _train_again(desks: Sequence[Desk], perform: Perform) -> None:
    chosen = {desk: choose(desk.study(), desk.plan.request.points) for desk in desks}
    again = {desk: {number: desk.again(number) for number in numbers} for desk, numbers in chosen.items()}
    specs = [spec for runs in again.values() for each in runs.values() for spec in each]
    statuses = _perform(specs, "what was chosen, trained again", perform)
    for desk, runs in again.items():
        desk.chosen = chosen[desk]
        desk.retrained = {n: desk.folders([statuses[spec.id] for spec in each]) for n, each in runs.items() if each}
        desk.write()


def _perform(specs: Sequence[RunSpec], what: str, perform: Perform) -> dict[str, RunStatus]:
    """Return the state of each run by its identity, once all that can be done is done."""
    each = {spec.id: spec for spec in specs}
    return dict(zip(each, perform(list(each.values()), what), strict=True)) if each else {}


def _named(numbers: Iterable[int]) -> str:
    each = sorted(set(numbers))
    return f"trial {each[0]}" if len(each) == 1 else f"trials {each[0]} to {each[-1]}"
