"""The parts of a suite that define its runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict

from mtbench.plan.suite.settings import Setting

__all__ = ["DECLARED", "OPTIONS", "Counted", "Grid", "Search"]

OPTIONS, DECLARED = "options", "declared"
"""The space ``options=declared``: all options of a method that declare a space, beside the settings that are named."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A part of a suite's runs: every method on every dataset, under each value that is varied.

    Attributes:
        datasets: texts as on the command line.
        methods: texts as on the command line, in the order of the table; also those of
            `mtbench.plan.suite.stages.second_stage`, which take their task weights from the runs of another row.
        set: settings of the training protocol that differ for these runs.
        vary: one setting of the training protocol, and its values in turn.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    set: Mapping[str, Setting] = field(default_factory=dict)
    vary: Mapping[str, tuple[Setting, ...]] = field(default_factory=dict)

    def variations(self) -> list[dict[str, Setting]]:
        """Return the settings of the training protocol, for each of the values that is varied."""
        varied = [{name: value} for name, values in self.vary.items() for value in values] or [{}]
        return [{**self.set, **one} for one in varied]


@dataclass(frozen=True, kw_only=True)
class Search:
    """Trials that choose settings for each method before it is compared; as ``mtbench search``.

    Attributes:
        datasets: the datasets, with one study each per method.
        methods: the methods that are searched.
        space: the space by name, a text as after ``--space``; empty for each method's own. `OPTIONS` stands for each
            method's own options.
        sampler: the sampler of trials.
        trials: the number of trials of each method.
        objective: ``tasks`` (one per task), ``mean``, or empty for the one that suits the space.
        seeds: tuning seeds per trial.
        points: ``front`` or ``all``, the trials that are retrained if there are several objectives.
        set: settings of the training protocol that differ for these runs.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    space: Mapping[str, str] = field(default_factory=dict)
    sampler: Literal["tpe", "nsga2", "qmc", "grid"] = "tpe"
    trials: int
    objective: Literal["", "tasks", "mean"] = ""
    seeds: int = 1
    points: Literal["front", "all"] = "front"
    set: Mapping[str, Setting] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Networks that are counted but not trained, for the figure over the number of tasks.

    Attributes:
        datasets: see `Grid`.
        methods: see `Grid`; each is counted on every dataset.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    datasets: tuple[str, ...]
    methods: tuple[str, ...]
