"""A suite, as defined by its file."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mtbench.plan.suite.claims.claim import AnyClaim
from mtbench.plan.suite.parts import Counted, Grid, Search
from mtbench.plan.suite.published import PaperTable, Relation
from mtbench.plan.suite.settings import SIZE, Setting

__all__ = ["Suite"]


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite, as defined by its file.

    Attributes:
        name: the name of its file.
        title: the title of its report.
        source: the paper and its table or figure.
        note: its deviations from the source, and the reasons; shown in its report.
        base: the datasets' training protocol that it starts from.
        settings: the settings of the training protocol that differ.
        grid: the runs.
        search: trials that come before the runs.
        counted: networks that are counted in addition.
        labels: names of methods in its report that differ from the registered ones.
        paper: published numbers.
        relation: published numbers of pairs of tasks.
        claim: the claims to be tested.
        figures: exhibits in addition to those of every report (`mtbench list exhibits` shows all): ``scatter`` (each
            pair of tasks, with fronts), ``sweep`` (over the varied setting), ``tasks`` (over the number of tasks),
            ``adding`` (of a task), ``matched`` (over the cost of methods), ``conventions`` (Δm and the order of methods
            by conventions of published code, and under each setting of the training that a part of the grid sets or
            varies).
        ranks: comparison of methods for intervals of ranks: ``paired`` (runs of one seed with each other, in blocks)
            or ``unpaired``, for seeds that methods have nothing in common of; fixed here, never chosen after seeing
            results.
        judges: the runs that claims are about: ``default``, those of the grid, or ``tuned``, those that are retrained
            with the settings that the suite's searches choose.
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
    figures: tuple[str, ...] = ()
    ranks: Literal["paired", "unpaired"] = "paired"
    judges: Literal["default", "tuned"] = "default"

    @property
    def parts(self) -> "tuple[Grid | Search, ...]":
        """The parts of the suite that are run."""
        return (*self.grid, *self.search)

    def sized(self, base: str) -> "Suite":
        """Return the suite on another of the datasets' training protocols, which then sets its `SIZE`."""
        if base == self.base:
            return self
        kept = {name: value for name, value in self.settings.items() if name not in SIZE}
        return dataclasses.replace(self, base=base, settings=kept)
