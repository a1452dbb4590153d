"""Suites with made-up runs, sorted into sheets without planning them, which takes the real networks."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Suite, rendered
from mtbench.report.data.comparison import compare
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.store.status import RunStatus


def filled(
    suite: Suite,
    run: Callable[[str, str, TrainingProtocol, int], RunStatus | None],
    *,
    seeds: int = 3,
    quick: bool = False,
) -> SuiteRuns:
    """Return the runs of a suite's grid, as `run` makes them of a method, a dataset, a protocol and a seed; None is no
    run."""
    base = TrainingProtocol(name="quick" if quick else "paper")
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, list[RunStatus]]] = {}
    for part in suite.grid:
        for settings in map(rendered, part.variations()):
            for dataset in part.datasets:
                for method in part.methods:
                    made = [run(method, dataset, base.changed(**settings), seed) for seed in range(seeds)]
                    if found := [each for each in made if each]:
                        groups.setdefault((dataset, tuple(sorted(settings.items()))), {})[method] = found
    return SuiteRuns(
        suite=suite,
        base=base.name,
        size=base.name,
        sheets=tuple(_sheet(suite, *place, methods, seeds) for place, methods in groups.items()),
        absent=(),
    )


def _sheet(
    suite: Suite,
    dataset: str,
    variation: tuple[tuple[str, str], ...],
    methods: Mapping[str, list[RunStatus]],
    planned: int,
) -> Sheet:
    (comparison,) = compare(run for runs in methods.values() for run in runs)
    by_title = {method.title: method for method in comparison.methods}
    ordered = tuple(replace(by_title[name], title=suite.labels.get(name, name)) for name in methods)
    return Sheet(
        dataset=dataset,
        variation=variation,
        comparison=replace(comparison, methods=ordered),
        methods=tuple(methods),
        planned=planned,
        paper=None,
    )
