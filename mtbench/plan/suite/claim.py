"""The parts of a suite that state its claims."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Tag

from mtbench.plan.suite.published import MEAN
from mtbench.plan.suite.settings import Margin, Seeds, Setting

__all__ = ["AcrossClaim", "AnyClaim", "Claim", "claim_class"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about two methods that the runs support or not; declared before results are seen.

    Attributes:
        dataset: a dataset of the grid.
        contrast: two methods of the grid; the claim is about the first minus the second.
        metric: a task's name, ``mean``, or ``delta_m`` (relative to the single-task runs of the same grid).
        tasks: the tasks of the mean, for a claim about a group of tasks; empty for all.
        direction: the claim about the first method: ``better``, ``worse`` or ``equivalent``.
        margin: the smallest difference that matters, in the metric's unit; 0 if none is named.
        family: the name of the claims that are corrected together (Holm); by default all claims of a suite.
        test: ``paired`` over common seeds, or ``welch``; fixed here, never chosen after seeing results.
        n: the planned number of seeds; 0 for the suite's.
        set: the variation of the grid that it is about.
        source: the place in the paper that makes the claim.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dataset: str
    contrast: tuple[str, str]
    metric: str = MEAN
    tasks: tuple[str, ...] = ()
    direction: Literal["better", "worse", "equivalent"] = "better"
    margin: Margin = 0.0
    family: str = "all"
    test: Literal["paired", "welch"] = "paired"
    n: Seeds = 0
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
    """A statement about one task that two datasets have: the gain of a method on it from the other tasks of the first.

    Attributes:
        datasets: two datasets of the grid; the claim is about the first minus the second.
        task: the name of a task of both; the claim is about its primary metric.
        method: a method of the grid on both.
        against: another method; if given, the claim is about the gain of `method` minus the gain of this one.
        direction: the claim about the first dataset: ``better``, ``worse`` or ``equivalent``.
        margin, family, n, source: see `Claim`.
        test: ``paired`` over common seeds, or ``welch``, for datasets on which a seed starts differently (see
            `mtbench.plan.pairing`).
        set: the variation of the grid that it is about, on both datasets.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    datasets: tuple[str, str]
    task: str
    method: str
    against: str = ""
    direction: Literal["better", "worse", "equivalent"] = "better"
    margin: Margin = 0.0
    family: str = "all"
    test: Literal["paired", "welch"] = "paired"
    n: Seeds = 0
    set: Mapping[str, Setting] = field(default_factory=dict)
    source: str = ""

    @property
    def methods(self) -> tuple[str, ...]:
        """The one method, or both."""
        return (self.method, self.against) if self.against else (self.method,)


def claim_class(table: Mapping[str, Any]) -> type[Claim] | type[AcrossClaim]:
    """Return the class of a claim by the keys of its table: a claim with several datasets is an `AcrossClaim`."""
    return AcrossClaim if "datasets" in table else Claim


AnyClaim: TypeAlias = Annotated[
    Annotated[Claim, Tag("class Claim")] | Annotated[AcrossClaim, Tag("class AcrossClaim")],
    Discriminator(lambda table: f"class {claim_class(table).__name__}"),
]
"""A claim of either class; the tags have a space, which no bare key of a TOML file has."""
