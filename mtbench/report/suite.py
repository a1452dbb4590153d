"""Runs sorted into the places of a suite: what its tables, claims and figures are made of."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.parse import parse_dataset
from mtbench.plan.suite import PaperTable, Setting, Suite, rendered
from mtbench.plan.suite_plan import Place, places, signature, size_of
from mtbench.report.comparison import Comparison, MethodRuns, compare
from mtbench.report.table import Column, columns_of, scores
from mtbench.report.text import slug
from mtbench.store.status import RunStatus

__all__ = ["Sheet", "SuiteRuns", "suite_runs"]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The runs of a suite on one dataset under one of its variations: what stands in one table.

    Attributes:
        dataset: as the suite writes it.
        variation: the numbers of the protocol that this part of the grid sets or varies, as texts.
        comparison: its runs; methods in the suite's order, under the suite's labels.
        methods: what the suite calls them, in the same order.
        planned: how many seeds the suite asks for at this size.
        paper: what was published of it, if anything.
    """

    dataset: str
    variation: tuple[tuple[str, str], ...]
    comparison: Comparison
    methods: tuple[str, ...]
    planned: int
    paper: PaperTable | None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The tasks, then the mean over them if they share a metric."""
        return columns_of(self.comparison)

    def scores(self, column: str) -> dict[str, NDArray[np.float64]]:
        """By method, the test metric of a column per seed (S,), NaN where there is no finished run; the seeds are the
        same for all methods."""
        found = next((each for each in self.columns if each.name == column), None)
        if found is None:
            return {}
        return dict(zip(self.methods, scores(self.comparison, found), strict=True))

    def runs(self, method: str) -> MethodRuns | None:
        """The runs of a method, by the suite's name for it."""
        return dict(zip(self.methods, self.comparison.methods, strict=True)).get(method)


@dataclass(frozen=True, kw_only=True)
class SuiteRuns:
    """The runs of a suite that have one size.

    Attributes:
        size: e.g. ``paper``, or ``quick, epochs=2``.
        sheets: in the suite's order.
        absent: places of the suite that no run is in, in words.
    """

    suite: Suite
    size: str
    sheets: tuple[Sheet, ...]
    absent: tuple[str, ...]

    @property
    def quick(self) -> bool:
        """Whether it is a look, not a result."""
        return any(sheet.comparison.quick for sheet in self.sheets)

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.suite.name}, size {self.size}"

    @property
    def slug(self) -> str:
        """The title as part of a file name."""
        return f"{self.suite.name}-{slug(self.size)}"

    def sheet(self, dataset: str, settings: Mapping[str, Setting]) -> Sheet | None:
        """The sheet of a dataset and a variation; without one, the dataset's first."""
        wanted = tuple(sorted(rendered(settings).items()))
        found = [sheet for sheet in self.sheets if sheet.dataset == dataset]
        return next((sheet for sheet in found if not wanted or sheet.variation == wanted), None)


def suite_runs(suite: Suite, statuses: Iterable[RunStatus]) -> list[SuiteRuns]:
    """The runs that belong to a suite, whatever command made them, one result for each size that is there."""
    known = places(suite)
    groups: dict[str, dict[Place, list[RunStatus]]] = {}
    for status in statuses:
        if place := known.get(signature(status.spec)):
            size = size_of(suite, place, status.spec)
            groups.setdefault(size, {}).setdefault(place, []).append(status)
    order = list(dict.fromkeys(known.values()))
    return [
        SuiteRuns(
            suite=suite,
            size=size,
            sheets=_sheets(suite, {place: runs[place] for place in order if place in runs}),
            absent=tuple(_words(place) for place in order if place not in runs),
        )
        for size, runs in sorted(groups.items())
    ]


def _sheets(suite: Suite, runs: Mapping[Place, Sequence[RunStatus]]) -> tuple[Sheet, ...]:
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, Sequence[RunStatus]]] = {}
    for place, statuses in runs.items():
        groups.setdefault((place.dataset, place.variation), {})[place.method] = statuses
    return tuple(
        Sheet(
            dataset=dataset,
            variation=variation,
            comparison=_comparison(suite, methods),
            methods=tuple(methods),
            planned=_planned(suite, dataset, next(iter(methods.values()))[0].spec.protocol.name),
            paper=_published(suite, dataset, variation),
        )
        for (dataset, variation), methods in groups.items()
    )


def _comparison(suite: Suite, methods: Mapping[str, Sequence[RunStatus]]) -> Comparison:
    """One comparison, whatever the commands that made its runs called their protocol."""
    everything = [status for statuses in methods.values() for status in statuses]
    protocol = everything[0].spec.titles.protocol
    alike = [_titled(status, protocol) for status in everything]
    (comparison,) = compare(alike)
    runs = {run.spec.id: each for each in comparison.methods for run in each.runs}
    ordered = [
        dataclasses.replace(runs[statuses[0].spec.id], title=suite.labels.get(name, name))
        for name, statuses in methods.items()
    ]
    return dataclasses.replace(comparison, methods=tuple(ordered))


def _titled(status: RunStatus, protocol: str) -> RunStatus:
    titles = dataclasses.replace(status.spec.titles, protocol=protocol)
    return dataclasses.replace(status, spec=dataclasses.replace(status.spec, titles=titles))


def _planned(suite: Suite, dataset: str, base: str) -> int:
    seeds = suite.sized(base).settings.get("seeds")
    return int(str(seeds)) if seeds is not None else parse_dataset(dataset).dataset.protocols[base].seeds


def _published(suite: Suite, dataset: str, variation: tuple[tuple[str, str], ...]) -> PaperTable | None:
    tables = [table for table in suite.paper if table.dataset == dataset]
    exact = [table for table in tables if tuple(sorted(rendered(table.set).items())) == variation]
    return next(iter(exact), None)


def _words(place: Place) -> str:
    varied = "".join(f", {name}={value}" for name, value in place.variation)
    return f"{place.method} on {place.dataset}{varied}"
