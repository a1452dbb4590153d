"""The parts of a suite that say which runs it has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict

from mtbench.plan.suite.settings import Setting

__all__ = ["Counted", "Grid", "Search"]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Some of a suite's runs: every method on every dataset, under each value that is varied.

    Attributes:
        datasets: as on the command line.
        methods: likewise, in the order of the table.
        set: numbers of the protocol that differ for these runs.
        vary: one number of the protocol, and the values that it takes in turn.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    set: Mapping[str, Setting] = field(default_factory=dict)
    vary: Mapping[str, tuple[Setting, ...]] = field(default_factory=dict)

    def variations(self) -> list[dict[str, Setting]]:
        """Return the numbers of the protocol, for each of the values that is varied."""
        varied = [{name: value} for name, values in self.vary.items() for value in values] or [{}]
        return [{**self.set, **one} for one in varied]


@dataclass(frozen=True, kw_only=True)
class Search:
    """Trials by which each method is given a setting of its own before it is compared; as ``mtbench search``.

    Attributes:
        datasets: one study each per method.
        methods: what is searched.
        space: what is searched over, a text by name as after ``--space``; empty for each method's own.
        sampler: how trials are proposed.
        trials: how many, of each method.
        objective: ``tasks`` (one per task), ``mean``, or empty for what suits the space.
        seeds: tuning seeds per trial.
        points: ``front`` or ``all``, which trials of several objectives are trained again.
        set: numbers of the protocol that differ for these runs.
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
    """Networks that are counted, and not trained, for the figure over the number of tasks.

    Attributes:
        datasets: as in a grid.
        methods: likewise; each is counted on every dataset.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    datasets: tuple[str, ...]
    methods: tuple[str, ...]
