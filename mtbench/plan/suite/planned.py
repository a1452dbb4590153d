"""The runs of a suite, at any size, and the place in the suite of an existing run."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mtbench.plan.grid import Request, choose_protocol, plan
from mtbench.plan.parse import parse_dataset
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import SIZE, Setting, Suite, rendered
from mtbench.plan.suite.stages.resolution import Resolution
from mtbench.plan.suite.stages.second_stage import second_stage

__all__ = [
    "LaterRow",
    "Place",
    "later_rows",
    "meant",
    "place_of",
    "places",
    "plan_suite",
    "planned_places",
    "resolved_places",
    "signature",
    "size_of",
]


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place of a run in a suite.

    Attributes:
        dataset, method: texts as in the suite.
        variation: the settings of the training protocol that this part of its grid sets or varies.
    """

    dataset: str
    method: str
    variation: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class LaterRow:
    """A row of the second stage of a suite at one size.

    Attributes:
        place: its place.
        size: the size, see `size_of`.
        tasks: the names of the dataset's tasks.
        first: a run of the first stage, with seed 0; its training protocol has the number of seeds.
        spec: a run of the row, with seed 0: with equal weights if it is not resolved.
        resolution: its weights; None if it is not resolved.
    """

    place: Place
    size: str
    tasks: tuple[str, ...]
    first: RunSpec
    spec: RunSpec
    resolution: Resolution | None

    def runs(self, seeds: Iterable[int]) -> list[RunSpec]:
        """Return its runs with these seeds."""
        return [dataclasses.replace(self.spec, seed=seed) for seed in seeds]

    def firsts(self) -> list[RunSpec]:
        """Return the runs of the first stage, with all seeds of the suite."""
        return [dataclasses.replace(self.first, seed=seed) for seed in range(self.first.protocol.seeds)]


def plan_suite(
    suite: Suite,
    *,
    base: str = "",
    settings: Mapping[str, str] | None = None,
    seeds: Sequence[int] | None = None,
    resolutions: Collection[Resolution] = (),
) -> list[RunSpec]:
    """Return the runs of a suite's grid, each once; rows of the second stage that are not resolved have none.

    Seeds come before rows and datasets, so that a suite that is stopped early can still compare all of them.

    Args:
        base: another of the datasets' training protocols, for another size.
        settings: settings of the training protocol that differ, as texts.
        seeds: other seeds than the suite's.
        resolutions: the weights of rows of the second stage, of this and other sizes.

    Raises:
        UsageError: something does not exist or does not fit.
    """
    sized = suite.sized(base or suite.base)
    specs: dict[str, RunSpec] = {}
    for request, _ in _requests(sized, settings or {}, seeds):
        methods = [method for method in request.methods if second_stage(method) is None]
        if methods or not request.methods:
            specs.update((spec.id, spec) for spec in plan(dataclasses.replace(request, methods=methods)))
    for row in later_rows(suite, base=base, settings=settings, resolutions=resolutions):
        if row.resolution:
            chosen = seeds if seeds is not None else range(row.spec.protocol.seeds)
            specs.update((spec.id, spec) for spec in row.runs(chosen))
    return sorted(specs.values(), key=lambda spec: spec.seed)


def later_rows(
    suite: Suite,
    *,
    base: str = "",
    settings: Mapping[str, str] | None = None,
    resolutions: Collection[Resolution] = (),
) -> list[LaterRow]:
    """Return the rows of the second stage of a suite; the arguments are those of `plan_suite`."""
    known = {each.row: each for each in resolutions}
    found: dict[Place, LaterRow] = {}
    for place, request in _rows(suite.sized(base or suite.base), settings or {}):
        if (stage := second_stage(place.method)) is None or place in found:
            continue
        (first,) = plan(dataclasses.replace(request, methods=[stage.first]))
        tasks = tuple(task.name for task in parse_dataset(place.dataset).tasks())
        equal = stage.with_weights([1 / len(tasks)] * len(tasks))
        (spec,) = plan(dataclasses.replace(request, methods=[equal]))
        size = size_of(suite, place, spec)
        resolution = known.get((suite.name, size, place.dataset, place.variation, place.method))
        if resolution:
            (spec,) = plan(dataclasses.replace(request, methods=[stage.with_weights(resolution.weights)]))
        found[place] = LaterRow(place=place, size=size, tasks=tasks, first=first, spec=spec, resolution=resolution)
    return list(found.values())


def places(suite: Suite) -> dict[str, Place]:
    """Return every place of a suite's grid, by the `signature` of the runs that belong there, of any size; without rows
    of the second stage, whose runs depend on others (see `resolved_places`)."""
    found: dict[str, Place] = {}
    datasets = {name for part in suite.grid for name in part.datasets}
    bases = {suite.base, *(name for dataset in datasets for name in parse_dataset(dataset).dataset_class.protocols)}
    for base in sorted(bases):
        for place, request in _rows(suite.sized(base), {}):
            if base not in parse_dataset(place.dataset).dataset_class.protocols or second_stage(place.method):
                continue
            for spec in plan(request):
                found[signature(spec)] = _named(place, spec)
    return found


def resolved_places(suite: Suite, resolutions: Iterable[Resolution]) -> dict[str, list[Resolution]]:
    """Return the rows of the second stage that are resolved, by the `signature` of their runs.

    Two rows with equal weights are the same runs, and at another size a row has other weights.
    """
    found: dict[str, list[Resolution]] = {}
    own = [each for each in resolutions if each.suite == suite.name]
    for base in dict.fromkeys(each.size.partition(",")[0] for each in own):
        there = [each for each in own if each.size.partition(",")[0] == base]
        for place, request in _rows(suite.sized(base), {}):
            alike = [each for each in there if place_of(each) == place]
            if alike and base in parse_dataset(place.dataset).dataset_class.protocols:
                stage = second_stage(place.method)
                assert stage is not None
                for each in alike:
                    (spec,) = plan(dataclasses.replace(request, methods=[stage.with_weights(each.weights)]))
                    rows = found.setdefault(signature(spec), [])
                    rows += [each] if each not in rows else []
    return found


def planned_places(
    suite: Suite,
    *,
    base: str = "",
    settings: Mapping[str, str] | None = None,
    resolutions: Collection[Resolution] = (),
) -> dict[Place, RunSpec]:
    """Return a run with seed 0 for every place of a suite's grid; the arguments are those of `plan_suite`. Rows of the
    second stage that are not resolved have equal weights, which cost the same."""
    later = {row.place: row for row in later_rows(suite, base=base, settings=settings, resolutions=resolutions)}
    found: dict[Place, RunSpec] = {}
    for place, request in _rows(suite.sized(base or suite.base), settings or {}):
        for spec in [later[place].spec] if place in later else plan(request):
            found.setdefault(_named(place, spec), spec)
    return found


def place_of(resolution: Resolution) -> Place:
    """Return the place of the row that a resolution is of."""
    return Place(dataset=resolution.dataset, method=resolution.method, variation=resolution.variation)


def signature(spec: RunSpec) -> str:
    """Return the identity of a run without its size and its seed."""
    protocol = dataclasses.replace(spec.protocol, name="", epochs=1, batch=1, images=0)
    return dataclasses.replace(spec, seed=0, protocol=protocol).id


def size_of(suite: Suite, place: Place, spec: RunSpec) -> str:
    """Return the difference of a run's size from the suite's at that training protocol: ``quick, epochs=2``."""
    settings = {**suite.sized(spec.protocol.name).settings, **dict(place.variation)}
    dataset = parse_dataset(place.dataset)
    planned = choose_protocol(dataset.dataset_class, place.dataset, spec.protocol.name).changed(**rendered(settings))
    asked = {name: getattr(spec.protocol, name) for name in SIZE if name != "seeds"}
    return dataclasses.replace(planned, **asked).label(planned)


def meant(suite: Suite, dataset: str, settings: Mapping[str, Setting]) -> tuple[tuple[str, str], ...]:
    """Return the variation that a claim or a paper's table is about: the one it names, else none, else the grid's
    first.

    Args:
        dataset: a dataset of the grid.
        settings: the settings that the claim or the table names.
    """
    given = tuple(sorted(rendered(settings).items()))
    there = [
        tuple(sorted(rendered(each).items()))
        for part in suite.grid
        if dataset in part.datasets
        for each in part.variations()
    ]
    return given if given or not there or () in there else there[0]


def _rows(suite: Suite, settings: Mapping[str, str]) -> Iterator[tuple[Place, Request]]:
    """Yield each row of the grid with a request for its run with seed 0, which `second_stage` may have to resolve."""
    for request, variation in _requests(suite, settings, [0]):
        for dataset in request.datasets:
            for method in request.methods:
                place = Place(dataset=dataset, method=method, variation=tuple(sorted(variation.items())))
                yield place, dataclasses.replace(request, datasets=[dataset], methods=[method])


def _named(place: Place, spec: RunSpec) -> Place:
    """Return the place of a run among those of ``all`` methods, which are called as their runs are."""
    return dataclasses.replace(place, method=spec.titles.method) if place.method == "all" else place


def _requests(
    suite: Suite, settings: Mapping[str, str], seeds: Sequence[int] | None
) -> Iterator[tuple[Request, dict[str, str]]]:
    for part in suite.grid:
        for variation in part.variations():
            varied = rendered(variation)
            own: dict[str, Setting] = {**suite.settings, **variation}
            yield (
                Request(
                    methods=part.methods,
                    datasets=part.datasets,
                    protocol=suite.base,
                    settings={**rendered(own), **settings},
                    seeds=seeds,
                ),
                varied,
            )
