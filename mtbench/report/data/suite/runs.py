"""Runs sorted into the places of a suite: what its tables, claims and figures are made of."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.parse import parse_dataset
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import PaperTable, Relation, Setting, Suite, rendered
from mtbench.plan.suite.planned import Place, meant, place_of, places, resolved_places, signature, size_of
from mtbench.plan.suite.stages.resolution import Resolution
from mtbench.plan.suite.stages.second_stage import second_stage
from mtbench.report.data.columns import Column, columns_of, scores
from mtbench.report.data.comparison import Comparison, MethodRuns, compare
from mtbench.report.data.studies import StudyRuns
from mtbench.report.data.suite.searches import suite_studies
from mtbench.report.text import listed, slug
from mtbench.store.status import RunStatus
from mtbench.store.suites.declaration import Declaration, beyond, changes
from mtbench.store.suites.looks import LookPlan
from mtbench.store.suites.resolutions import moved_rows

__all__ = ["Sheet", "SuiteRuns", "suite_runs"]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The runs of a suite on one dataset under one of its variations: what stands in one table.

    Attributes:
        dataset: the dataset as in the suite.
        variation: the settings of the training protocol that this part of the grid sets or varies, as texts.
        comparison: its runs; methods in the suite's order, under the suite's labels.
        methods: their names in the suite, in the same order.
        planned: the number of seeds of the suite at this size.
        paper: its published numbers, if there are any.
        relations: the published numbers of its pairs of tasks.
        searches: the searches that chose the settings of the methods, by their names in the suite; none for default
            settings.
        weights: for each row that takes its task weights from other runs, by its name in the suite, its weights and
            these runs.
        moved: names of those of these rows whose other runs have changed since, so that their mean is another one.
    """

    dataset: str
    variation: tuple[tuple[str, str], ...]
    comparison: Comparison
    methods: tuple[str, ...]
    planned: int
    paper: PaperTable | None
    relations: tuple[Relation, ...] = ()
    searches: Mapping[str, StudyRuns] = field(default_factory=dict)
    weights: Mapping[str, Resolution] = field(default_factory=dict)
    moved: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The tasks, then the mean over them if they share a metric."""
        return columns_of(self.comparison)

    def scores(self, column: str) -> dict[str, NDArray[np.float64]]:
        """Return by method the test metric of a column per seed (S,), NaN where there is no finished run; the seeds are
        the same for all methods."""
        found = next((each for each in self.columns if each.name == column), None)
        if found is None:
            return {}
        return dict(zip(self.methods, scores(self.comparison, found), strict=True))

    def varied(self, suite: Suite) -> bool:
        """Return whether the sheet is one of several over which the suite varies a setting of the protocol."""
        names = {name for part in suite.grid if self.dataset in part.datasets for name in part.vary}
        return not names.isdisjoint(name for name, _ in self.variation)

    def runs(self, method: str) -> MethodRuns | None:
        """Return the runs of a method, by the suite's name for it."""
        return dict(zip(self.methods, self.comparison.methods, strict=True)).get(method)


@dataclass(frozen=True, kw_only=True)
class SuiteRuns:
    """The runs of a suite that have one size.

    Attributes:
        base: the datasets' protocol that they started from.
        size: e.g. ``paper``, or ``quick, epochs=2``.
        sheets: in the suite's order.
        absent: parts of the suite without a run, in words, a text for each dataset and variation.
        studies: its searches, in its order.
        declared: when it was declared, in a sentence; empty if it was not.
        changed: its differences from the declaration, in a sentence; empty if there are none.
        looks: the plan of looks at its claims; None if their number of seeds was fixed.
    """

    suite: Suite
    base: str
    size: str
    sheets: tuple[Sheet, ...]
    absent: tuple[str, ...]
    studies: tuple[StudyRuns, ...] = ()
    declared: str = ""
    changed: str = ""
    looks: LookPlan | None = None

    @property
    def quick(self) -> bool:
        """True if it is a preview, not a result."""
        return any(sheet.comparison.quick for sheet in self.sheets) or self.base == "quick"

    @property
    def title(self) -> str:
        """The name that people use for it."""
        return f"{self.suite.name}, size {self.size}"

    @property
    def slug(self) -> str:
        """The title as part of a file name."""
        return f"{self.suite.name}-{slug(self.size)}"

    def stem(self, sheet: Sheet) -> str:
        """Return what sets a sheet apart, as part of a file name."""
        varied = "".join(f"-{slug(f'{name}-{value}')}" for name, value in sheet.variation)
        return f"{self.slug}-{sheet.comparison.folder}{varied}"

    def sheet(self, dataset: str, settings: Mapping[str, Setting]) -> Sheet | None:
        """Return the sheet of a dataset under a variation (see `meant`); None if nothing of it has been run."""
        wanted = meant(self.suite, dataset, settings)
        return next((each for each in self.sheets if (each.dataset, each.variation) == (dataset, wanted)), None)

    def published(self, dataset: str, settings: Mapping[str, Setting]) -> PaperTable | None:
        """Return what was published of the dataset under the variation, whether it has been run or not."""
        return _published(self.suite, dataset, meant(self.suite, dataset, settings))

    def planned(self, dataset: str, settings: Mapping[str, Setting]) -> int:
        """Return the number of seeds that the suite asks for there at this size."""
        return _planned(self.suite, dataset, meant(self.suite, dataset, settings), self.base)


def suite_runs(
    suite: Suite,
    statuses: Iterable[RunStatus],
    studies: Iterable[StudyRuns] = (),
    declaration: Declaration | None = None,
    plans: Sequence[LookPlan] = (),
    resolutions: Sequence[Resolution] = (),
) -> list[SuiteRuns]:
    """Return the runs and searches that belong to a suite, whatever command made them, one result for each size there
    is.

    Args:
        declaration: the suite as it was declared before it was run.
        plans: plans of looks, of this suite and of others.
        resolutions: weights that rows take from other runs, of this suite and of others.
    """
    known, later = places(suite), resolved_places(suite, resolutions)
    statuses = list(statuses)
    moved = moved_rows(resolutions, statuses)
    taken: dict[str, dict[Place, Resolution]] = {}
    for each in (each for rows in later.values() for each in rows):
        taken.setdefault(each.size, {})[place_of(each)] = each
    looks = {plan.size: plan for plan in plans if plan.suite == suite.name}
    groups: dict[str, dict[Place, list[RunStatus]]] = {}
    for status in statuses:
        for place, size in _places(suite, status.spec, known, later):
            if declaration and size not in looks and beyond(declaration, status.spec):
                status = dataclasses.replace(status, added=True)
            groups.setdefault(size, {}).setdefault(place, []).append(status)
    order = _order(suite, set(known.values()))
    searches = suite_studies(suite, studies)
    bases = {size: found[0].study.protocol.name for size, found in searches.items()}
    bases |= {size: next(iter(runs.values()))[0].spec.protocol.name for size, runs in groups.items()}
    groups = {size: groups.get(size, {}) for size in bases}
    return [
        SuiteRuns(
            suite=suite,
            base=bases[size],
            size=size,
            sheets=_sheets(suite, {place: runs[place] for place in order if place in runs}, taken.get(size, {}), moved),
            absent=_absent([place for place in order if place not in runs], taken.get(size, {})),
            studies=tuple(searches.get(size, ())),
            declared=_declared(declaration) if declaration else "",
            changed=_changed(declaration, suite) if declaration else "",
            looks=looks.get(size),
        )
        for size, runs in sorted(groups.items())
    ]


def _declared(declaration: Declaration) -> str:
    count = declaration.runs
    when = f"when {count} run{'s' * (count > 1)} of it had a record" if count else "before its first run"
    return f"The suite was declared on {declaration.at.partition('T')[0]}, {when} (SHA-256 {declaration.hash[:12]})."


def _changed(declaration: Declaration, suite: Suite) -> str:
    found = changes(declaration, suite)
    return f"The suite was changed after it was declared: {'; '.join(found)}." if found else ""


def _places(
    suite: Suite, spec: RunSpec, known: Mapping[str, Place], later: Mapping[str, Sequence[Resolution]]
) -> Iterator[tuple[Place, str]]:
    """Yield each place of a run in a suite, and its size there; rows that took equal weights have the same runs."""
    name = signature(spec)
    if place := known.get(name):
        yield place, size_of(suite, place, spec)
    for each in later.get(name, ()):
        place = place_of(each)
        if size_of(suite, place, spec) == each.size:
            yield place, each.size


def _order(suite: Suite, known: Collection[Place]) -> list[Place]:
    """Return all places of a suite in its order; `known` are those whose runs do not depend on others."""
    found: dict[Place, None] = {}
    for part in suite.grid:
        for settings in part.variations():
            variation = tuple(sorted(rendered(settings).items()))
            for dataset in part.datasets:
                there = [place for place in known if (place.dataset, place.variation) == (dataset, variation)]
                for method in part.methods:
                    place = Place(dataset=dataset, method=method, variation=variation)
                    if method == "all":
                        found |= dict.fromkeys(there)
                    elif place in known or second_stage(method):
                        found[place] = None
    return list(found)


def _sheets(
    suite: Suite,
    runs: Mapping[Place, Sequence[RunStatus]],
    taken: Mapping[Place, Resolution],
    moved: Collection[tuple[object, ...]],
) -> tuple[Sheet, ...]:
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, Sequence[RunStatus]]] = {}
    for place, statuses in runs.items():
        groups.setdefault((place.dataset, place.variation), {})[place.method] = statuses
    return tuple(
        Sheet(
            dataset=dataset,
            variation=variation,
            comparison=_comparison(suite, variation, methods, planned),
            methods=tuple(methods),
            planned=planned,
            paper=_published(suite, dataset, variation),
            relations=tuple(
                table
                for table in suite.relation
                if table.dataset == dataset and meant(suite, dataset, table.set) == variation
            ),
            weights=weights,
            moved=tuple(name for name, each in weights.items() if each.row in moved),
        )
        for (dataset, variation), methods in groups.items()
        for planned in [_planned(suite, dataset, variation, next(iter(methods.values()))[0].spec.protocol.name)]
        for weights in [
            {
                place.method: each
                for place, each in taken.items()
                if (place.dataset, place.variation) == (dataset, variation) and place.method in methods
            }
        ]
    )


def _comparison(
    suite: Suite, variation: tuple[tuple[str, str], ...], methods: Mapping[str, Sequence[RunStatus]], seeds: int
) -> Comparison:
    """Return one comparison, whatever the commands that made its runs called their protocol; its title says the
    variation, be it the protocol's own value."""
    everything = [status for statuses in methods.values() for status in statuses]
    protocol = everything[0].spec.titles.protocol
    alike = [_titled(status, protocol) for status in everything]
    (comparison,) = compare(alike)
    runs = {run.spec.id: each for each in comparison.methods for run in each.runs}
    ordered = [
        dataclasses.replace(runs[statuses[0].spec.id], title=suite.labels.get(name, name), seeds=seeds)
        for name, statuses in methods.items()
    ]
    said = comparison.title.split(", ")
    own = [text for name, value in variation if (text := f"{name}={value}") not in said]
    return dataclasses.replace(comparison, title=", ".join([*said, *own]), methods=tuple(ordered))


def _titled(status: RunStatus, protocol: str) -> RunStatus:
    titles = dataclasses.replace(status.spec.titles, protocol=protocol)
    return dataclasses.replace(status, spec=dataclasses.replace(status.spec, titles=titles))


def _planned(suite: Suite, dataset: str, variation: tuple[tuple[str, str], ...], base: str) -> int:
    protocol = parse_dataset(dataset).dataset_class.protocols.get(base)
    settings = {**rendered(suite.sized(base).settings), **dict(variation)}
    return int(settings.get("seeds", protocol.seeds if protocol else 0))


def _published(suite: Suite, dataset: str, variation: tuple[tuple[str, str], ...]) -> PaperTable | None:
    tables = [table for table in suite.paper if table.dataset == dataset]
    return next((table for table in tables if meant(suite, dataset, table.set) == variation), None)


def _absent(empty: Sequence[Place], taken: Collection[Place]) -> tuple[str, ...]:
    groups: dict[str, list[str]] = {}
    for place in empty:
        where = "".join([place.dataset, *(f", {name}={value}" for name, value in place.variation)])
        stage = None if place in taken else second_stage(place.method)
        waits = f" (waits for all runs of {stage.first})" if stage else ""
        groups.setdefault(where, []).append(place.method + waits)
    return tuple(f"{listed(methods)} on {where}" for where, methods in groups.items())
