"""The trials of a search that are left, for estimates before it starts."""

import dataclasses
from pathlib import Path

from mtbench.errors import DamagedRecord
from mtbench.plan.spec import RunSpec
from mtbench.search.planning import StudyPlan
from mtbench.store.study import FILE, read_study

__all__ = ["finished_trials", "remaining_runs"]


def finished_trials(plan: StudyPlan, results: Path) -> int:
    """Return the number of finished trials among those that are asked for, from the file of the study alone."""
    try:
        return min(plan.trials, read_study(plan.folder(results) / FILE).finished)
    except DamagedRecord:  # missing, or to be rewritten
        return 0


def remaining_runs(plan: StudyPlan, results: Path) -> list[RunSpec]:
    """Return as many runs as the trials that are left have, each with the default settings and a seed of its own."""
    (spec,) = plan.specs(plan.default, [0], validation=True)
    count = (plan.trials - finished_trials(plan, results)) * len(plan.request.seeds)
    return [dataclasses.replace(spec, seed=seed) for seed in range(count)]
