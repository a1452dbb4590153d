"""A search from its first trial to the chosen settings: rounds of trials, and then retrained runs of the best.

A round's trials are all proposed before any is run, and stored in the order of their numbers when all are finished, so
that proposals do not depend on the number of runs at a time or on the moment when a process was killed.
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from mtbench.plan.spec import RunSpec
from mtbench.search.choice import choose
from mtbench.search.open_study import OpenStudy
from mtbench.search.planning import ROUND, StudyPlan
from mtbench.store.results import mark_results
from mtbench.store.status import RunStatus
from mtbench.store.study import Study

__all__ = ["Perform", "run_search"]


class Perform(Protocol):
    """A function that executes runs, as ``mtbench run`` does."""

    def __call__(self, specs: Sequence[RunSpec], what: str) -> Sequence[RunStatus]:
        """Execute the runs that are not done yet, and return the state of each after that, in their order.

        Args:
            specs: the runs, each once.
            what: a description of the runs for people, e.g. ``trials 0 to 3``.

        Raises:
            Stopped: Ctrl-C or SIGTERM was received.
        """


def run_search(plans: Sequence[StudyPlan], *, results: Path, perform: Perform) -> list[Study]:
    """Run the studies; finished trials are left unchanged. ``search.json`` is written around each round.

    All studies do one round each, and then the next, so that a search that is stopped early has still given every
    method the same number of trials. Chosen settings are retrained at the end, on all training images, with seeds of
    their own: only these runs are measured on the test split.

    Args:
        plans: from `mtbench.search.planning.plan_search`.
        results: the folder of the runs, and of the studies.

    Raises:
        Busy: another mtbench process works on one of the studies.
        Stopped: see `Perform`; the same command resumes the search.
        RunError: a run could not be done, for a reason outside of it.
        StoreError: something cannot be read or written.
    """
    mark_results(results)
    with ExitStack() as leases:
        studies = [OpenStudy(plan, results, leases) for plan in plans]
        for began in range(0, max(plan.trials for plan in plans), ROUND):
            _round(studies, began, perform)
        _retrain(studies, perform)
        return [study.current() for study in studies]


def _round(studies: Sequence[OpenStudy], began: int, perform: Perform) -> None:
    asked = [(study, number) for study in studies for number in study.ask(began)]
    if not asked:
        return
    working = list(dict.fromkeys(study for study, _ in asked))
    for study in working:
        study.write()  # a report that is made meanwhile recognizes trials by it
    specs = [spec for study, number in asked for spec in study.specs(number)]
    statuses = _perform(specs, _named(number for _, number in asked), perform)
    for study, number in asked:
        study.store_outcome(number, [statuses[spec.id] for spec in study.specs(number)])
    for study in working:
        study.write()


def _retrain(studies: Sequence[OpenStudy], perform: Perform) -> None:
    chosen = {study: choose(study.current(), study.plan.request.points) for study in studies}
    retraining = {
        study: {number: study.retraining_specs(number) for number in numbers} for study, numbers in chosen.items()
    }
    specs = [spec for runs in retraining.values() for each in runs.values() for spec in each]
    statuses = _perform(specs, "chosen settings, retrained", perform)
    for study, runs in retraining.items():
        study.chosen = chosen[study]
        study.retrained = {n: study.folders([statuses[spec.id] for spec in each]) for n, each in runs.items() if each}
        study.write()


def _perform(specs: Sequence[RunSpec], what: str, perform: Perform) -> dict[str, RunStatus]:
    """Return the state of each run by its identity, after all possible runs are done."""
    each = {spec.id: spec for spec in specs}
    return dict(zip(each, perform(list(each.values()), what), strict=True)) if each else {}


def _named(numbers: Iterable[int]) -> str:
    each = sorted(set(numbers))
    return f"trial {each[0]}" if len(each) == 1 else f"trials {each[0]} to {each[-1]}"
