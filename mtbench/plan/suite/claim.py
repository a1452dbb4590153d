"""The parts of a suite that say what is to be judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Tag

from mtbench.plan.suite.published import MEAN
from mtbench.plan.suite.settings import Setting

__all__ = ["AcrossClaim", "AnyClaim", "Claim", "claim_class"]


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
    """Return the class of a claim, by the keys of its table: one that names several datasets is across them."""
    return AcrossClaim if "datasets" in table else Claim


AnyClaim: TypeAlias = Annotated[
    Annotated[Claim, Tag("class Claim")] | Annotated[AcrossClaim, Tag("class AcrossClaim")],
    Discriminator(lambda table: f"class {claim_class(table).__name__}"),
]
"""A claim of either class; the tags have a space, which no bare key of a TOML file has."""
