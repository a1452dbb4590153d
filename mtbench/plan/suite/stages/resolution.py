"""The task weights that a row of a suite has taken from the runs of another row."""

from dataclasses import dataclass

from pydantic import ConfigDict

from mtbench.contract.options import render_value

__all__ = ["DIGITS", "FORMAT", "Resolution"]

DIGITS = 6
"""Decimals of weights that are taken from runs, so that a method can be read and repeated by hand."""

FORMAT = 1
"""Raised when an earlier mtbench can no longer read a resolution."""


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """The task weights of a row of the second stage, and the runs that they come from.

    Attributes:
        format: the version of this layout.
        suite: the name of the suite.
        size: the size of the runs, e.g. ``paper`` or ``quick, epochs=2``.
        dataset, variation, method: the place of the row in the suite, see `mtbench.plan.suite.planned.Place`.
        first: the method of the first stage, as its runs call it.
        tasks: the names of the tasks.
        weights: the weight of each task, with the sum 1 and `DIGITS` decimals.
        seeds: the seeds of the runs of the first stage.
        runs: the identities of these runs.
        at: date and time in UTC, as in ``2026-11-29T18:00:00+00:00``; empty before it is written.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    format: int = FORMAT
    suite: str
    size: str
    dataset: str
    variation: tuple[tuple[str, str], ...]
    method: str
    first: str
    tasks: tuple[str, ...]
    weights: tuple[float, ...]
    seeds: tuple[int, ...]
    runs: tuple[str, ...]
    at: str = ""

    @property
    def row(self) -> tuple[str, str, str, tuple[tuple[str, str], ...], str]:
        """The row and the size, of which there is one resolution in a results folder."""
        return self.suite, self.size, self.dataset, self.variation, self.method

    @property
    def listed(self) -> str:
        """The weights as on the command line."""
        return render_value(self.weights)

    def agrees(self, other: "Resolution") -> bool:
        """Return whether another resolution of the row has the same weights, of the same runs."""
        return (self.weights, self.runs) == (other.weights, other.runs)
