"""Suites with rows of a second stage: weights that are computed from finished runs, sealed, and trained with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mtbench.contract.options import render_value
from mtbench.door.training.work import Work
from mtbench.errors import UsageError
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import Suite
from mtbench.plan.suite.planned import LaterRow, later_rows, places, plan_suite, signature
from mtbench.plan.suite.stages.resolution import Resolution
from mtbench.store.record import Record
from mtbench.store.status import RunStatus
from mtbench.store.suites.resolutions import (
    mean_weights,
    read_resolutions,
    resolution_path,
    write_resolution,
)

__all__ = ["Staged", "Waiting"]

STALE = ": --refresh stale trains them again"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A row of the second stage that is not resolved yet.

    Attributes:
        method, dataset: the row.
        runs: the number of runs of the row that were asked for.
        why: the runs of the first stage that lack, or the fault of their weights, in a clause.
        is_stuck: True if finishing runs does not help: their records are stale, or their weights have no mean.
    """

    method: str
    dataset: str
    runs: int
    why: str
    is_stuck: bool = False


@dataclass(frozen=True, kw_only=True)
class Staged:
    """The runs of a suite, some of which may wait for others.

    Attributes:
        suite: the suite.
        base, settings, seeds: see `mtbench.plan.suite.planned.plan_suite`.
    """

    suite: Suite
    base: str
    settings: Mapping[str, str]
    seeds: Sequence[int] | None

    @cached_property
    def is_staged(self) -> bool:
        """True if the suite has rows of a second stage."""
        return bool(self._rows(()))

    def check(self) -> None:
        """Refuse settings that make other runs than the suite's: weights are sealed by the size alone.

        Raises:
            UsageError: there are some.
        """
        known = places(self.suite)
        specs = plan_suite(self.suite, base=self.base, settings=self.settings, seeds=[0])
        if any(signature(spec) not in known for spec in specs):
            given = ", ".join(f"{name}={value}" for name, value in self.settings.items())
            raise UsageError(
                f"runs with {given} are not those of suite '{self.suite.name}', whose rows take weights from its runs.",
                allowed="Settings change the size only: epochs, images, batch and seeds.",
            )

    def specs(self, resolutions: Sequence[Resolution] = ()) -> list[RunSpec]:
        """Return the runs that can be trained, each once."""
        return plan_suite(self.suite, base=self.base, settings=self.settings, seeds=self.seeds, resolutions=resolutions)

    def sealed(self, work: Work) -> list[Resolution]:
        """Return the weights that were sealed in the results folder before.

        Raises:
            UsageError: they are not the mean of the present records of their runs any more.
            DamagedRecord, NewerResults: see `mtbench.store.suites.resolutions.read_resolution`.
        """
        found = [each for each in read_resolutions([work.results]) if each.suite == self.suite.name]
        for row in self._rows(found):
            if row.resolution:
                _check_unchanged(row, row.resolution, work)
        return found

    def resolve(self, work: Work) -> list[Resolution]:
        """Return the sealed weights, after sealing those of the rows whose first stage has finished.

        Raises:
            UsageError, DamagedRecord, NewerResults: see `sealed`.
            StoreError: they cannot be written.
        """
        found = self.sealed(work)
        for row in self._rows(found):
            if row.resolution is None and isinstance(made := self._computed(row, work), Resolution):
                found.append(write_resolution(work.results, made))
        return found

    def waiting(self, resolutions: Sequence[Resolution], work: Work) -> list[Waiting]:
        """Return the rows that are not resolved yet."""
        found = []
        for row in self._rows(resolutions):
            if row.resolution is None:
                made = self._computed(row, work)
                found.append(made if isinstance(made, Waiting) else self._waits(row, "its weights can be sealed"))
        return found

    def _rows(self, resolutions: Sequence[Resolution]) -> list[LaterRow]:
        return later_rows(self.suite, base=self.base, settings=self.settings, resolutions=resolutions)

    def _computed(self, row: LaterRow, work: Work) -> Resolution | Waiting:
        """Return the weights of a row, or the reason why there are none yet."""
        firsts = row.firsts()
        statuses = work.statuses(firsts)
        if lacking := [status for status in statuses if status.state != "fresh"]:
            stale = any(status.state == "stale" for status in lacking)
            after = f"after {row.first.titles.method} ({_in_words(lacking)}{STALE if stale else ''})"
            return self._waits(row, after, is_stuck=stale)
        try:
            weights = mean_weights(_records(statuses))
        except UsageError as cause:
            return self._waits(row, str(cause).rstrip("."), is_stuck=True)
        return Resolution(
            suite=self.suite.name,
            size=row.size,
            dataset=row.place.dataset,
            variation=row.place.variation,
            method=row.place.method,
            first=row.first.titles.method,
            tasks=row.tasks,
            weights=weights,
            seeds=tuple(spec.seed for spec in firsts),
            runs=tuple(spec.id for spec in firsts),
        )

    def _waits(self, row: LaterRow, why: str, *, is_stuck: bool = False) -> Waiting:
        runs = len(row.firsts() if self.seeds is None else self.seeds)
        return Waiting(method=row.place.method, dataset=row.place.dataset, runs=runs, why=why, is_stuck=is_stuck)


def _check_unchanged(row: LaterRow, sealed: Resolution, work: Work) -> None:
    """Check that sealed weights are those of their runs, as far as these have records in the results folder.

    Raises:
        UsageError: they are not.
    """
    specs = [replace(row.first, seed=seed) for seed in sealed.seeds]
    path = resolution_path(work.results, sealed)
    mend = (
        f"To begin again, move {path} away: its row is then trained with new weights, and the runs that have the old "
        "ones are no part of the suite any more. Or give another results folder."
    )
    where = f"Sealed on {sealed.at.partition('T')[0]} in {path}."
    if tuple(spec.id for spec in specs) != sealed.runs:
        raise UsageError(
            f"the weights of {sealed.method} on {sealed.dataset}, {sealed.listed}, are of runs that suite "
            f"'{sealed.suite}' does not have any more: it was changed.",
            mend=mend,
            where=where,
        )
    statuses = work.statuses(specs)
    if any(status.record is None for status in statuses):
        return
    now = mean_weights(_records(statuses))
    if now != sealed.weights:
        raise UsageError(
            f"the runs of {sealed.first} on {sealed.dataset} have changed since {sealed.method} took its weights from "
            f"them: it has {sealed.listed}, and their mean is now {render_value(now)}.",
            mend=mend,
            where=where,
        )


def _records(statuses: Iterable[RunStatus]) -> list[Record]:
    return [status.record for status in statuses if status.record is not None]


def _in_words(lacking: Sequence[RunStatus]) -> str:
    """Return which runs lack, by their state: ``seeds 1 and 2 are missing``."""
    states: dict[str, list[str]] = {}
    for status in lacking:
        states.setdefault(status.state, []).append(str(status.spec.seed))
    return "; ".join(
        f"seed{'s' * (len(seeds) > 1)} {', '.join(seeds)} {'are' if len(seeds) > 1 else 'is'} {state}"
        for state, seeds in states.items()
    )
