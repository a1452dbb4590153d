"""A suite: runs that belong together, with a name, the paper's numbers beside them, and claims to be judged.

A suite is a TOML file; what a key means is said at the field of the same name below::

    title = "Two digits"
    source = "Levi and Ullman (2020), Table 1"

    [protocol]                      # a protocol of the datasets, and its numbers that are to differ
    base = "paper"
    seeds = 5

    [[grid]]                        # which runs
    datasets = ["mmnist2"]
    methods = ["single", "uniform", "td"]
    vary = { lr = [3e-4, 1e-3] }    # one number of the protocol, over which figures are drawn

    [[counted]]                     # which networks are too large to train, and only counted
    datasets = ["mmnist9"]
    methods = ["uniform"]

    [[paper]]                       # what was published
    dataset = "mmnist2"
    columns = ["LU", "RL"]
    n = 5
    [paper.rows]
    td = [[97.16, 0.05], [96.19, 0.14]]

    [[relation]]                    # likewise, of pairs of tasks
    dataset = "mmnist2"
    quantity = "compliance"
    pairs = ["LU/RL"]
    [relation.rows]
    uniform = [51.5]

    [[claim]]                       # what is to be judged
    dataset = "mmnist2"
    contrast = ["td", "single"]
    direction = "better"

    [[claim]]                       # likewise, across datasets: of a task that both have
    datasets = ["mmnist3", "mmnist2"]
    task = "LU"
    method = "td"
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Tag

from mtbench.contract.options import render_value

__all__ = [
    "MEAN",
    "SIZE",
    "AcrossClaim",
    "Claim",
    "Counted",
    "Grid",
    "PaperTable",
    "Relation",
    "Search",
    "Setting",
    "Suite",
    "claim_class",
    "rendered",
]

MEAN = "mean"
"""What the mean over tasks is called among the columns of a table."""

SIZE = ("epochs", "images", "batch", "seeds")
"""Numbers of a protocol that say how much is trained, not what: the sizes of a suite differ in them alone."""

Setting: TypeAlias = bool | int | float | str | tuple[str, ...]
"""The value of a number of the protocol."""


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
        """The numbers of the protocol, for each of the values that is varied."""
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


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """Published numbers.

    Attributes:
        dataset: what they are of, as in the grid.
        columns: names of tasks, or ``mean``.
        rows: by method, a value per column: the mean alone, or mean and standard deviation.
        metric: what they are, where not the tasks' primary metric; such numbers stand beside ours, and no claim is
            about them.
        n: repeats behind each number; 0 where the paper does not say.
        set: the variation of the grid that they belong to.
        source: where they stand, if not where the suite's title says.
        delta: convention of the paper's own Δm, as ``metric/drop``: its average and its sign, each as of ``mtbench
            report --delta`` and ``--delta-sign``; empty where the paper has none.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dataset: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float | tuple[float, float], ...]]
    metric: str = ""
    n: int = 0
    set: Mapping[str, Setting] = field(default_factory=dict)
    source: str = ""
    delta: Literal["", "task/gain", "task/drop", "metric/gain", "metric/drop", "main/gain", "main/drop"] = ""

    def number(self, method: str, column: str) -> tuple[float, float | None] | None:
        """Mean and standard deviation, as far as they were published."""
        if method not in self.rows or column not in self.columns:
            return None
        value = self.rows[method][self.columns.index(column)]
        return value if isinstance(value, tuple) else (value, None)


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Published numbers of pairs of tasks, which are printed beside ours and not compared.

    Attributes:
        dataset: what they are of, as in the grid.
        quantity: ``compliance``, the update compliance ratio in %, which is measured with ``diagnostics =
            ["conflict"]``; or ``distance``, that of the vectors by which two tasks modulate a network.
        pairs: the names of two tasks each, as in ``smiling/young``.
        rows: by method a value for each pair; several values of a pair that the paper prints several of.
        set: the variation of the grid that they belong to.
        source: where they stand, if not where the suite's title says.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dataset: str
    quantity: Literal["compliance", "distance"]
    pairs: tuple[str, ...]
    rows: Mapping[str, tuple[float | tuple[float, ...], ...]]
    set: Mapping[str, Setting] = field(default_factory=dict)
    source: str = ""

    def values(self, method: str, pair: str) -> tuple[float, ...]:
        """The values that were published of a method and a pair."""
        if method not in self.rows:
            return ()
        value = self.rows[method][self.pairs.index(pair)]
        return value if isinstance(value, tuple) else (value,)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about two methods that the runs are to bear out or not; declared before they are looked at.

    Attributes:
        dataset: as in the grid.
        contrast: two methods of the grid; the claim is on the first minus the second.
        metric: a task's name, ``mean``, or ``delta_m`` (relative to the single-task runs of the same grid).
        tasks: those that the mean is over, of a claim about a group of tasks; empty for all.
        direction: ``better``, ``worse`` or ``equivalent``: what is claimed of the first.
        margin: in the metric's unit, the difference that would matter; 0 if none is named.
        family: claims of one family are corrected together (Holm); by default all of a suite are one.
        test: ``paired`` over common seeds, or ``welch``; named here, never chosen after looking.
        n: how many seeds were planned; 0 for the suite's.
        set: the variation of the grid that it is about.
        source: where it is claimed.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dataset: str
    contrast: tuple[str, str]
    metric: str = MEAN
    tasks: tuple[str, ...] = ()
    direction: Literal["better", "worse", "equivalent"] = "better"
    margin: float = 0.0
    family: str = "all"
    test: Literal["paired", "welch"] = "paired"
    n: int = 0
    set: Mapping[str, Setting] = field(default_factory=dict)
    source: str = ""

    @property
    def methods(self) -> tuple[str, ...]:
        """The two methods."""
        return self.contrast

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose mean it is about: the tasks of a group, else the metric alone."""
        return self.tasks or (self.metric,)

    @property
    def measured(self) -> str:
        """The metric in words."""
        return f"mean of {', '.join(self.tasks)}" if self.tasks else self.metric


@dataclass(frozen=True, kw_only=True)
class AcrossClaim:
    """A statement about one task that two datasets have: what a method gains on it from the other tasks of the first.

    Attributes:
        datasets: two of the grid; the claim is on the first minus the second.
        task: the name of a task of both; the claim is on its primary metric.
        method: a method of the grid on both.
        against: another one; where it is given, the claim is on what `method` gains more than it.
        direction: ``better``, ``worse`` or ``equivalent``: what is claimed of the first dataset.
        margin, family, n, source: as of `Claim`.
        test: ``paired`` over common seeds, or ``welch``, for datasets on which a seed does not begin alike (see
            `mtbench.plan.pairing`).
        set: the variation of the grid that it is about, on both datasets.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    datasets: tuple[str, str]
    task: str
    method: str
    against: str = ""
    direction: Literal["better", "worse", "equivalent"] = "better"
    margin: float = 0.0
    family: str = "all"
    test: Literal["paired", "welch"] = "paired"
    n: int = 0
    set: Mapping[str, Setting] = field(default_factory=dict)
    source: str = ""

    @property
    def methods(self) -> tuple[str, ...]:
        """The one method, or both."""
        return (self.method, self.against) if self.against else (self.method,)


def claim_class(table: Mapping[str, Any]) -> type[Claim] | type[AcrossClaim]:
    """The class of a claim, by the keys of its table: one that names several datasets is across them."""
    return AcrossClaim if "datasets" in table else Claim


AnyClaim: TypeAlias = Annotated[
    Annotated[Claim, Tag("class Claim")] | Annotated[AcrossClaim, Tag("class AcrossClaim")],
    Discriminator(lambda table: f"class {claim_class(table).__name__}"),
]
"""A claim of either class; the tags have a space, which no bare key of a TOML file has."""


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
            methods cost).
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
    figures: tuple[Literal["scatter", "sweep", "tasks", "adding", "matched"], ...] = ()

    @property
    def parts(self) -> "tuple[Grid | Search, ...]":
        """What it runs."""
        return (*self.grid, *self.search)

    def sized(self, base: str) -> "Suite":
        """The suite on another of the datasets' protocols, which then says how much is trained (`SIZE`)."""
        if base == self.base:
            return self
        kept = {name: value for name, value in self.settings.items() if name not in SIZE}
        return dataclasses.replace(self, base=base, settings=kept)


def rendered(settings: Mapping[str, Setting]) -> dict[str, str]:
    """Settings as the texts that the command line takes."""
    return {name: render_value(value) for name, value in settings.items()}
