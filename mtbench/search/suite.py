"""The searches of a suite."""

import dataclasses
from collections.abc import Mapping, Sequence

from mtbench.errors import MtbenchError, UsageError
from mtbench.plan.suite import Suite, rendered
from mtbench.search.planning import StudyPlan, plan_search
from mtbench.search.request import SearchRequest, parse_tuning_seeds

__all__ = ["search_misfits", "suite_requests"]


def suite_requests(
    suite: Suite, *, base: str = "", settings: Mapping[str, str], seeds: Sequence[int] | None = None
) -> list[SearchRequest]:
    """Return a suite's requests to ``mtbench search``, in its order.

    Args:
        base, settings, seeds: see `mtbench.plan.suite.planned.plan_suite`.

    Raises:
        UsageError: the seeds do not count from 0, as the seeds of retrained runs do.
    """
    if suite.search and seeds is not None and list(seeds) != list(range(len(seeds))):
        raise UsageError(
            f"the seeds of suite '{suite.name}' are {', '.join(map(str, seeds))}, and it has a search.",
            allowed="Chosen settings are retrained with seeds from 0: --seeds takes a count.",
        )
    sized = suite.sized(base or suite.base)
    return [
        SearchRequest(
            datasets=part.datasets,
            methods=part.methods,
            protocol=sized.base,
            settings={**rendered({**sized.settings, **part.set}), **settings},
            space=part.space,
            sampler=part.sampler,
            objective=part.objective,
            trials=part.trials,
            seeds=parse_tuning_seeds(str(part.seeds)),
            retrain=None if seeds is None else len(seeds),
            points=part.points,
        )
        for part in suite.search
    ]


def search_misfits(suite: Suite) -> dict[int, str]:
    """Return the faults of the searches of a suite without other faults, by the number of the search, from 0."""
    found: dict[int, str] = {}
    for number, part in enumerate(suite.search):
        try:
            for request in suite_requests(dataclasses.replace(suite, search=(part,)), settings={}):
                plans = plan_search(request)
                if suite.judges == "tuned":
                    _check_objective(plans)
        except MtbenchError as cause:
            found[number] = str(cause)
    return found


def _check_objective(plans: Sequence[StudyPlan]) -> None:
    """Check that searches choose one setting, which claims about tuned runs need.

    Raises:
        UsageError: one of them has an objective per task.
    """
    for plan in plans:
        if plan.objective != "mean":
            raise UsageError(
                f"the suite judges tuned runs, and the search of '{plan.title}' has an objective per task, so that it "
                "chooses several settings.",
                mend='Write objective = "mean", or judges = "default".',
            )
