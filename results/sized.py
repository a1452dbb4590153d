"""The runs and trials of suites and of parts of the list of evidence, at a size."""

import argparse
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mtbench.cli.training.execution import settings as changed
from mtbench.plan.grid import Request, parse_seeds, plan
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import Suite
from mtbench.plan.suite.file import find_suite
from mtbench.plan.suite.planned import Place, planned_places
from mtbench.search.planning import StudyPlan, plan_search
from mtbench.search.request import SearchRequest
from mtbench.search.suite import suite_requests
from results.evidence import Part

__all__ = ["Sized", "of_part", "of_suite"]


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A suite, or a command of the list that names none, at one size.

    Attributes:
        name: the suite, or the folder of the results.
        grid: the runs of the grid, each once.
        chosen: a run for each one that is retrained with settings that searches choose, with the default settings here.
        trials: a run for each trial of searches, likewise.
        suite: the suite; None for a command without one.
        places: a run of each place of the suite.
    """

    name: str
    grid: Sequence[RunSpec]
    chosen: Sequence[RunSpec] = ()
    trials: Sequence[RunSpec] = ()
    suite: Suite | None = None
    places: Mapping[Place, RunSpec]

    @property
    def runs(self) -> list[RunSpec]:
        """All that is trained."""
        return [*self.grid, *self.chosen, *self.trials]


def of_suite(name: str, *, base: str = "", settings: Mapping[str, str] | None = None) -> Sized:
    """Return a suite at the size that it declares, or at another one.

    Rows that take their weights from other rows have equal weights, which cost the same.

    Args:
        name: the suite.
        base: another of the datasets' training protocols.
        settings: settings of the training protocol that differ, as texts.

    Raises:
        UsageError: there is no such suite, or a setting does not fit.
    """
    suite, given = find_suite(name), settings or {}
    places = planned_places(suite, base=base, settings=given)
    studies = [study for asked in suite_requests(suite, base=base, settings=given) for study in plan_search(asked)]
    return Sized(
        name=f"{name}, {base}" if base else name,
        grid=_once(replace(spec, seed=seed) for spec in places.values() for seed in range(spec.protocol.seeds)),
        chosen=[spec for study in studies for spec in _chosen(study)],
        trials=[spec for study in studies for spec in _trials(study)],
        suite=suite,
        places=places,
    )


def of_part(part: Part) -> Sized:
    """Return a part of the list of evidence.

    Raises:
        UsageError: its command is wrong.
    """
    asked = _PARSER.parse_args(shlex.split(part.command))
    base = "quick" if asked.quick else asked.protocol
    settings = dict(changed(asked.set, epochs=asked.epochs))
    seeds = parse_seeds(asked.seeds) if asked.seeds else None
    if part.suite:
        return of_suite(
            part.suite, base=base, settings=settings if seeds is None else {**settings, "seeds": str(len(seeds))}
        )
    name = part.results.split("-", 3)[-1]  # without its day
    datasets, methods = asked.dataset.split(","), asked.methods.split(",")
    if asked.command == "search":
        search = SearchRequest(
            datasets=datasets, methods=methods, protocol=base or "paper", settings=settings, trials=asked.trials
        )
        studies = plan_search(search)
        return Sized(
            name=f"{name}, search",
            grid=[],
            chosen=[spec for study in studies for spec in _chosen(study)],
            trials=[spec for study in studies for spec in _trials(study)],
            places={},
        )
    request = Request(methods=methods, datasets=datasets, protocol=base or "paper", settings=settings, seeds=seeds)
    return Sized(name=name, grid=_once(plan(request)), places={})


def _once(specs: Iterable[RunSpec]) -> list[RunSpec]:
    return list({spec.id: spec for spec in specs}.values())


def _chosen(study: StudyPlan) -> list[RunSpec]:
    return study.specs(study.default, study.report_seeds, validation=False)


def _trials(study: StudyPlan) -> list[RunSpec]:
    return study.trials * study.specs(study.default, study.request.seeds, validation=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    for text in ("--suite", "--methods", "--dataset", "--protocol", "--seeds", "--refresh"):
        parser.add_argument(text, default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--set", action="append", default=[])
    for number in ("--epochs", "--trials"):
        parser.add_argument(number, type=int)
    return parser


_PARSER = _parser()
"""The options of the commands of the list."""
