"""The runs of a suite, at any size, and the place in the suite of an existing run."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mtbench.plan.grid import Request, choose_protocol, plan
from mtbench.plan.parse import parse_dataset
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import SIZE, Setting, Suite, rendered

__all__ = ["Place", "meant", "places", "plan_suite", "planned_places", "signature", "size_of"]


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


def plan_suite(
    suite: Suite, *, base: str = "", settings: Mapping[str, str] | None = None, seeds: Sequence[int] | None = None
) -> list[RunSpec]:
    """Return the runs of a suite's grid, each once.

    Args:
        base: another of the datasets' training protocols, for another size.
        settings: settings of the training protocol that differ, as texts.
        seeds: other seeds than the suite's.

    Raises:
        UsageError: something does not exist or does not fit.
    """
    sized = suite.sized(base or suite.base)
    specs: dict[str, RunSpec] = {}
    for request, _ in _requests(sized, settings or {}, seeds):
        specs.update((spec.id, spec) for spec in plan(request))
    return list(specs.values())


def places(suite: Suite) -> dict[str, Place]:
    """Return every place of a suite's grid, by the `signature` of the runs that belong there, of any size."""
    found: dict[str, Place] = {}
    datasets = {name for part in suite.grid for name in part.datasets}
    bases = {suite.base, *(name for dataset in datasets for name in parse_dataset(dataset).dataset_class.protocols)}
    for base in sorted(bases):
        for request, variation in _requests(suite.sized(base), {}, [0]):
            for dataset in request.datasets:
                if base not in parse_dataset(dataset).dataset_class.protocols:
                    continue
                for method in request.methods:
                    one = dataclasses.replace(request, datasets=[dataset], methods=[method])
                    for spec in plan(one):
                        name = spec.titles.method if method == "all" else method
                        where = Place(dataset=dataset, method=name, variation=tuple(sorted(variation.items())))
                        found[signature(spec)] = where
    return found


def planned_places(suite: Suite, *, base: str = "", settings: Mapping[str, str] | None = None) -> dict[Place, RunSpec]:
    """Return a run with seed 0 for every place of a suite's grid; the arguments are those of `plan_suite`."""
    found: dict[Place, RunSpec] = {}
    for request, variation in _requests(suite.sized(base or suite.base), settings or {}, [0]):
        for dataset in request.datasets:
            for method in request.methods:
                for spec in plan(dataclasses.replace(request, datasets=[dataset], methods=[method])):
                    name = spec.titles.method if method == "all" else method
                    where = Place(dataset=dataset, method=name, variation=tuple(sorted(variation.items())))
                    found.setdefault(where, spec)
    return found


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
