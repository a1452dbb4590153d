"""The parts of a suite that state its claims."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Tag

from mtbench.plan.suite.claims.held import Resource
from mtbench.plan.suite.published import MEAN
from mtbench.plan.suite.settings import Margin, Seeds, Setting

__all__ = ["AcrossClaim", "AnyClaim", "Claim", "SettingsClaim", "Where", "claim_class"]

_DELTA = "delta_m"

Where: TypeAlias = tuple[str, Mapping[str, Setting]]
"""A dataset, and the settings of a variation of the grid on it; empty for the one that `meant` takes by default."""


@dataclass(frozen=True, kw_only=True)
class Stated(ABC):
    """The part that all claims have in common.

    Attributes:
        direction: the claim about the first side: ``better``, ``worse`` or ``equivalent``.
        margin: the smallest difference that matters, in the metric's unit; 0 if none is named.
        family: the name of the claims that are corrected together (Holm); by default all claims of a suite.
        test: ``paired`` over common seeds, or ``welch``; fixed here, never chosen after seeing results.
        n: the planned number of seeds; 0 for the suite's.
        equal: resources that both sides must have alike, or the claim is not judged: ``steps``, ``label-uses`` and
            ``training-macs`` (multiply-accumulates of the forward passes of training, within 3 %).
        quantity: a quantity of `mtbench.plan.suite.claims.quantity` that the claim is about; empty for the test metric.
        source: the place in the paper that makes the claim.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    direction: Literal["better", "worse", "equivalent"] = "better"
    margin: Margin = 0.0
    family: str = "all"
    test: Literal["paired", "welch"] = "paired"
    n: Seeds = 0
    equal: tuple[Resource, ...] = ()
    quantity: str = ""
    source: str = ""

    @property
    @abstractmethod
    def methods(self) -> tuple[str, ...]:
        """The methods that are compared, or the only one."""

    @property
    @abstractmethod
    def where(self) -> tuple[Where, ...]:
        """The places of the grid with runs of all its methods: one, or two that are compared."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns whose mean it is about: the tasks of a group, else the metric alone."""

    @property
    def measured(self) -> str:
        """The metric, or the quantity, in words."""
        return self.quantity or self.columns[0]

    @property
    def is_relative(self) -> bool:
        """True if the metric is Δm, so that single-task networks are a part of the comparison."""
        return self.columns == (_DELTA,)

    @property
    def metric_margin(self) -> float:
        """The margin in the unit of the test metric; 0 for a claim about another quantity."""
        return 0.0 if self.quantity else self.margin

    @property
    def is_plain(self) -> bool:
        """True if the metric is the mean over all tasks, as where none is named."""
        return self.columns == (MEAN,)


@dataclass(frozen=True, kw_only=True)
class Claim(Stated):
    """A statement about two methods that the runs support or not; declared before results are seen.

    Attributes:
        dataset: a dataset of the grid.
        contrast: two methods of the grid; the claim is about the first minus the second.
        metric: a task's name, ``mean``, or ``delta_m`` (relative to the single-task runs of the same grid).
        tasks: the tasks of the mean, for a claim about a group of tasks; empty for all.
        set: the variation of the grid that it is about.
    """

    dataset: str
    contrast: tuple[str, str]
    metric: str = MEAN
    tasks: tuple[str, ...] = ()
    set: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def methods(self) -> tuple[str, ...]:
        """The two methods."""
        return self.contrast

    @property
    def where(self) -> tuple[Where, ...]:
        """Its dataset and variation."""
        return ((self.dataset, self.set),)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose mean it is about: the tasks of a group, else the metric alone."""
        return self.tasks or (self.metric,)

    @property
    def measured(self) -> str:
        """The metric, or the quantity, in words."""
        return f"mean of {', '.join(self.tasks)}" if self.tasks else super().measured

    @property
    def is_of_images(self) -> bool:
        """True if the metric is one of single test images, not one over groups of runs or tasks."""
        return not (self.quantity or self.tasks or self.is_relative)


@dataclass(frozen=True, kw_only=True)
class Between(Stated):
    """A statement about one method at two places of the grid, or about its gain over another method there.

    Attributes:
        method: a method of the grid at both places.
        against: another method; if given, the claim is about the gain of `method` minus the gain of this one.
    """

    method: str
    against: str = ""

    @property
    def methods(self) -> tuple[str, ...]:
        """The one method, or both."""
        return (self.method, self.against) if self.against else (self.method,)


@dataclass(frozen=True, kw_only=True)
class AcrossClaim(Between):
    """A statement about one task that two datasets have: the gain of a method on it from the other tasks of the first.

    Attributes:
        datasets: two datasets of the grid; the claim is about the first minus the second.
        task: the name of a task of both; the claim is about its primary metric.
        set: the variation of the grid that it is about, on both datasets.
    """

    datasets: tuple[str, str]
    task: str
    set: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def where(self) -> tuple[Where, ...]:
        """The two datasets."""
        return tuple((dataset, self.set) for dataset in self.datasets)

    @property
    def columns(self) -> tuple[str, ...]:
        """The task."""
        return (self.task,)


@dataclass(frozen=True, kw_only=True)
class SettingsClaim(Between):
    """A statement about a method on one dataset under two variations of the grid: the gain from a setting of training.

    Attributes:
        dataset: a dataset of the grid.
        settings: two variations of the grid, each with all settings of the training protocol that the grid sets or
            varies there, and empty for a part of the grid without any; the claim is about the first minus the second.
        metric: see `Claim`.
    """

    dataset: str
    settings: tuple[Mapping[str, Setting], Mapping[str, Setting]]
    metric: str = MEAN

    @property
    def where(self) -> tuple[Where, ...]:
        """The dataset under the two variations."""
        return tuple((self.dataset, each) for each in self.settings)

    @property
    def columns(self) -> tuple[str, ...]:
        """The metric."""
        return (self.metric,)


def claim_class(table: Mapping[str, Any]) -> type[Claim] | type[AcrossClaim] | type[SettingsClaim]:
    """Return the class of a claim by the keys of its table: with several datasets it is an `AcrossClaim`, with several
    settings a `SettingsClaim`."""
    if "datasets" in table:
        return AcrossClaim
    return SettingsClaim if "settings" in table else Claim


AnyClaim: TypeAlias = Annotated[
    Annotated[Claim, Tag("class Claim")]
    | Annotated[AcrossClaim, Tag("class AcrossClaim")]
    | Annotated[SettingsClaim, Tag("class SettingsClaim")],
    Discriminator(lambda table: f"class {claim_class(table).__name__}"),
]
"""A claim of any class; the tags have a space, which no bare key of a TOML file has."""
