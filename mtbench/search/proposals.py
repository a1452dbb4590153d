"""The next trial: a function of the seed, the trial's number and the results of earlier rounds, and of no state.

Each trial has a sampler of its own that is seeded by its number. It sees the finished trials of the rounds before its
own, and those of its own round as running, in whatever state they are. So the same trials are proposed for a search
that is interrupted and resumed or not, is extended or not, and for any number of runs at a time.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from mtbench.contract import Choices, derive
from mtbench.search.axes import Axis, Coordinate
from mtbench.search.points import Point, default_point, grid_point, sobol_point

__all__ = ["Past", "Proposal", "directions", "distributions", "propose", "quiet"]

STARTUP = 8
"""Trials that are drawn at random before TPE models the results: two rounds."""
POPULATION = 8
"""Trials of a generation of NSGA-II."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A setting to be tried.

    Attributes:
        point: a value for each coordinate; None for a default that lies outside of the space.
        marks: state that the sampler needs to find at the trial, such as its generation.
    """

    point: Point | None
    marks: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Past:
    """A trial as a sampler sees it.

    Attributes:
        number: the number of the trial.
        proposal: the setting that was tried.
        values: the values of the objectives; None if it failed or is running.
    """

    number: int
    proposal: Proposal
    values: Sequence[float] | None


def propose(
    axes: Sequence[Axis], sampler: str, seed: int, higher: Sequence[bool], past: Sequence[Past], number: int, size: int
) -> Proposal:
    """Return the trial of that number.

    Args:
        sampler: ``tpe`` (Bergstra et al. 2011), ``nsga2`` (Deb et al. 2002), ``qmc`` or ``grid``.
        seed: the seed of the study.
        higher: the direction of each objective.
        past: the trials before this one, in order; of those in its own round only the proposals are used.
        size: the number of trials of a round.
    """
    if number == 0:
        return Proposal(point=default_point(axes))
    if sampler == "grid":
        return Proposal(point=grid_point(axes, seed, number))
    if sampler == "qmc":
        return Proposal(point=sobol_point(axes, seed, number))
    began, kinds = number - number % size, distributions(axes)
    with quiet():
        study = optuna.create_study(directions=directions(higher), sampler=_sampler(sampler, derive(seed, number)))
        for trial in past[:number]:
            # A default outside of the space contains no information for a sampler.
            if trial.proposal.point is not None and (trial.values is not None or trial.number >= began):
                study.add_trial(_frozen(trial, kinds, under_way=trial.number >= began))
        asked = study.ask(fixed_distributions=kinds)
        marks = study.get_trials(deepcopy=False)[-1].system_attrs
    return Proposal(point=dict(asked.params), marks={k: v for k, v in marks.items() if k.endswith(":generation")})


def distributions(axes: Sequence[Axis]) -> dict[str, BaseDistribution]:
    """Return the searched distributions as objects of Optuna."""
    return {coordinate.name: _distribution(coordinate) for axis in axes for coordinate in axis.coordinates()}


def directions(higher: Sequence[bool]) -> list[StudyDirection]:
    """Return the directions of the objectives as objects of Optuna."""
    return [StudyDirection.MAXIMIZE if is_higher else StudyDirection.MINIMIZE for is_higher in higher]


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress Optuna's logs and warnings for its developers within the block."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _frozen(trial: Past, kinds: Mapping[str, BaseDistribution], *, under_way: bool) -> FrozenTrial:
    assert trial.proposal.point is not None
    return create_trial(
        state=TrialState.RUNNING if under_way else TrialState.COMPLETE,
        values=None if under_way else trial.values,
        params=dict(trial.proposal.point),
        distributions=dict(kinds),
        system_attrs=dict(trial.proposal.marks),
    )


def _sampler(name: str, seed: int) -> BaseSampler:
    seed %= 2**32
    if name == "nsga2":
        return NSGAIISampler(population_size=POPULATION, seed=seed)
    # Running trials count as bad, so that the trials of a round keep away from each other.
    return TPESampler(n_startup_trials=STARTUP, multivariate=True, constant_liar=True, seed=seed)


def _distribution(coordinate: Coordinate) -> BaseDistribution:
    space = coordinate.space
    if isinstance(space, Choices):
        return CategoricalDistribution(space.values)
    if coordinate.whole:
        return IntDistribution(round(space.low), round(space.high), log=space.log)
    return FloatDistribution(space.low, space.high, log=space.log)
