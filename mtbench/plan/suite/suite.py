"""A suite, as its file says it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mtbench.plan.suite.claim import AnyClaim
from mtbench.plan.suite.parts import Counted, Grid, Search
from mtbench.plan.suite.published import PaperTable, Relation
from mtbench.plan.suite.settings import SIZE, Setting

__all__ = ["Suite"]


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite as its file says it.

    Attributes:
        name: that of its file.
        title: what it is about.
        source: the paper and its table or figure.
        note: where it departs from the source, and why; shown in its report.
        base: the datasets' protocol that it starts from.
        settings: the protocol's numbers that differ.
        grid: which runs.
        search: trials that come before them.
        counted: which networks are counted beside them.
        labels: what methods are called in its report, where not by their names.
        paper: published numbers.
        relation: likewise, of pairs of tasks.
        claim: what is to be judged.
        figures: what is drawn beside what every report draws: ``scatter`` (each pair of tasks, with fronts), ``sweep``
            (over what is varied), ``tasks`` (over the number of tasks), ``adding`` (of a task), ``matched`` (over what
            methods cost), ``conventions`` (Δm and the order of methods by those of published code, and under each
            setting of the training that a part of the grid sets or varies).
    """

    name: str
    title: str
    source: str = ""
    note: str = ""
    base: str = "paper"
    settings: Mapping[str, Setting] = field(default_factory=dict)
    grid: tuple[Grid, ...] = ()
    search: tuple[Search, ...] = ()
    counted: tuple[Counted, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    paper: tuple[PaperTable, ...] = ()
    relation: tuple[Relation, ...] = ()
    claim: tuple[AnyClaim, ...] = ()
    figures: tuple[Literal["scatter", "sweep", "tasks", "adding", "matched", "conventions"], ...] = ()

    @property
    def parts(self) -> "tuple[Grid | Search, ...]":
        """The parts of the suite that are run."""
        return (*self.grid, *self.search)

    def sized(self, base: str) -> "Suite":
        """Return the suite on another of the datasets' protocols, which then says how much is trained (`SIZE`)."""
        if base == self.base:
            return self
        kept = {name: value for name, value in self.settings.items() if name not in SIZE}
        return dataclasses.replace(self, base=base, settings=kept)
