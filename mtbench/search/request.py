"""The request to ``mtbench search``."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mtbench.contract.options.limits import check_number
from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.chosen import BackboneChoice
from mtbench.plan.grid import parse_seeds

__all__ = [
    "BY_OPTUNA",
    "OBJECTIVES",
    "POINTS",
    "SAMPLERS",
    "TRIALS",
    "TUNING",
    "SearchRequest",
    "check_request",
    "parse_spaces",
    "parse_tuning_seeds",
]

TUNING = 1000
"""The first tuning seed by default; seeds that are reported count from 0."""
TRIALS = 20
"""The default number of trials."""
SAMPLERS = ("tpe", "nsga2", "qmc", "grid")
BY_OPTUNA = ("tpe", "nsga2")
"""The samplers that are Optuna's own."""
OBJECTIVES = ("tasks", "mean")
POINTS = ("front", "all")


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A request to ``mtbench search``.

    Attributes:
        datasets, methods, protocol, settings, backbone: see `mtbench.plan.grid.Request`.
        on: the backbone of all methods, as if each named it; None for that which each names.
        space: the spaces by name, as after ``--space``; empty for those that each method declares.
        sampler: one of `SAMPLERS`.
        objective: one of `OBJECTIVES`, or empty: ``tasks`` if weights of the tasks are searched, else ``mean``.
        trials: the number of trials of each method; None for the whole grid, or `TRIALS`.
        seeds: tuning seeds of each trial.
        seed: the seed of the proposals.
        retrain: the number of report seeds, from 0, that chosen settings are retrained with; None for the training
            protocol's.
        points: one of `POINTS`: the trials that are retrained if there are several objectives.
    """

    datasets: Sequence[str]
    methods: Sequence[str]
    protocol: str = "paper"
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    backbone: str = ""
    on: BackboneChoice | None = None
    space: Mapping[str, str] = dataclasses.field(default_factory=dict)
    sampler: str = "tpe"
    objective: str = ""
    trials: int | None = None
    seeds: Sequence[int] = (TUNING,)
    seed: int = 0
    retrain: int | None = None
    points: str = "front"


def parse_spaces(texts: Sequence[str]) -> dict[str, str]:
    """Return the spaces after ``--space NAME=VALUES``, by name.

    Raises:
        UsageError: a text is not of that form, or a name is given twice.
    """
    space: dict[str, str] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals or not name:
            raise UsageError(
                f"--space is '{text}'.", allowed="It is NAME=VALUES, as in lr=1e-4..1e-2:log, channels=1/2/6, lr=none."
            )
        if name in space:
            raise UsageError(f"--space names '{name}' twice.")
        space[name] = values
    return space


def check_request(request: SearchRequest) -> None:
    """Refuse a request that is wrong for any plug-in.

    Raises:
        UsageError: the request is wrong.
    """
    for name, value, allowed in (
        ("--sampler", request.sampler, SAMPLERS),
        ("--objective", request.objective or "mean", OBJECTIVES),
        ("--points", request.points, POINTS),
    ):
        if value not in allowed:
            raise UsageError(
                f"{name} is '{value}'.", mend=did_you_mean(value, allowed), allowed=f"Allowed: {', '.join(allowed)}."
            )
    check_number("--trials", 1 if request.trials is None else request.trials, "trials")
    check_number("--retrain", request.retrain or 0, "seeds", low=0)
    check_number("--seed", request.seed, "sampler-seed", low=0)
    if "all" in request.methods:
        raise UsageError("--methods is 'all', and a search needs names.", mend="List them: --methods td,uniform.")
    if request.settings.get("select", "last") != "last":
        raise UsageError(
            f"--set select={request.settings['select']} was given, but retrained runs hold out no "
            "validation split to choose an epoch on.",
            mend="Leave it out: trials and retrained runs are measured after the last epoch.",
        )
    if "validation" in request.settings:
        raise UsageError(
            "--set validation was given, but a search sets it itself: trials hold out a validation split, "
            "retrained runs do not."
        )


def parse_tuning_seeds(text: str) -> list[int]:
    """Read tuning seeds: a count (``2`` is 1000 and 1001), or a range or a list as in `parse_seeds`.

    Raises:
        UsageError: the text is none of these.
    """
    return parse_seeds(text) if "," in text or "-" in text else [TUNING + seed for seed in parse_seeds(text)]
