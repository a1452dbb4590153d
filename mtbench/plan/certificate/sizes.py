"""Sizes of certificates, each a list of datasets with an amount of training, from ``sizes.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.suite.settings import Setting

__all__ = ["DEFAULT", "Measure", "Sample", "Size", "find_size", "references", "sizes", "tuned_network"]

DEFAULT = "small"
"""The size if none is named."""
Measure: TypeAlias = Literal["mean", "delta_m"]
"""The number that is compared: the mean over tasks of their metric, or Δm over the single-task networks."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A dataset of a size, and the training on it.

    Attributes:
        dataset: the dataset as on the command line.
        protocol: one of its training protocols.
        set: settings of the training protocol that differ.
        margin: the smallest difference that matters, in points of % or of Δm; 0 if none is named.
        measure: the number that is compared; by default the mean over tasks if they share a metric in %, else Δm.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dataset: str
    protocol: str = "quick"
    set: Mapping[str, Setting] = field(default_factory=dict)
    margin: float = 0.0
    measure: Measure | Literal[""] = ""


@dataclass(frozen=True, kw_only=True)
class Size:
    """A size of certificates.

    Attributes:
        name: its name after ``--size``.
        about: its amount of training in words.
        seeds: the number of seeds of every row.
        trials: the number of trials of the search for task weights.
        on: its datasets.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    about: str
    seeds: int
    trials: int
    on: tuple[Sample, ...]


def find_size(name: str) -> Size:
    """Return the size of that name.

    Raises:
        UsageError: there is none.
    """
    known = sizes()
    if name not in known:
        raise UsageError(
            f"--size is '{name}'.", mend=did_you_mean(name, known), allowed=f"Allowed: {', '.join(known)}."
        )
    return known[name]


def sizes() -> dict[str, Size]:
    """Return all sizes by name, the smallest first."""
    reader = TypeAdapter(Size)
    return {name: reader.validate_python({"name": name, **content}) for name, content in _file()["size"].items()}


def references() -> tuple[str, ...]:
    """Return the methods that every certificate compares with, as on the command line."""
    return tuple(_file()["references"])


def tuned_network() -> str:
    """Return the network of which the task weights are searched."""
    return str(_file()["tuned"])


@cache
def _file() -> dict[str, dict[str, dict[str, object]]]:
    text = (resources.files("mtbench.plan.certificate") / "sizes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
