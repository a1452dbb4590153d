"""Conventions: rules by which published code computes the numbers of its tables from the measurements of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from mtbench.errors import PluginError

__all__ = ["ON_TEST", "Batches", "PeerConvention", "SingleTaskValues"]


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Batches of test examples in the order of the files, over which published code averages metrics.

    Attributes:
        size: number of examples of a batch; the last one may have fewer.
        by_examples: True if a batch is weighted by its number of examples; False if all batches count equally, the last
            one too.
    """

    size: int
    by_examples: bool = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise PluginError(f"batches of a convention have the size {self.size}.", allowed="It is 1 or more.")

    @property
    def words(self) -> str:
        """The batches in the words of reports."""
        weight = "weighed by their images" if self.by_examples else "which weigh alike, the last one too"
        return f"batches of {self.size} test images in file order, {weight}"


@dataclass(frozen=True, kw_only=True)
class SingleTaskValues:
    """Published values of single-task networks, which a published Δm is relative to.

    They apply only to networks, classes and images like those that they were measured on.

    Attributes:
        source: the publication or code that has them.
        backbone: name as on the command line; a method on another backbone has no Δm relative to these values.
        outputs: `Kind.output_size` of each task, such as the number of classes.
        size: (H, W) of the images.
        values: values as printed, by task and metric, in the metric's unit; the digits show their precision.
    """

    source: str
    backbone: str
    outputs: Mapping[str, int]
    size: tuple[int, int]
    values: Mapping[str, Mapping[str, str]]

    def numbers(self) -> dict[tuple[str, str], float]:
        """Return the values as numbers, by task and metric."""
        return {pair: float(text) for pair, text in self._texts()}

    def half_digits(self) -> dict[tuple[str, str], float]:
        """Return half a unit of the last digit of each value: the largest change by rounding."""
        return {pair: 0.5 * 10.0 ** -len(text.partition(".")[2]) for pair, text in self._texts()}

    def _texts(self) -> list[tuple[tuple[str, str], str]]:
        return [((task, name), text) for task, metrics in self.values.items() for name, text in metrics.items()]


ON_TEST = ("own-start", "test")
"""Rules that choose the epoch by the test metrics which are then reported."""
_Epoch = Literal["last", "last10", "own-start", "test"]
_Average = Literal["task", "metric", "main"]
_Sign = Literal["gain", "drop"]
_Base = Literal["constants", "own-start"]


@dataclass(frozen=True, kw_only=True)
class PeerConvention:
    """Rules of published code for the numbers of a table, which ``mtbench report --convention`` applies in addition.

    With E epochs, M(e) the test metric after epoch e, and the gain r = s (M - B) / |B| of a metric over a base B, where
    s = -1 if lower is better, else 1:

    - `epoch`: ``last``, M(E); ``last10``, the mean of M over the last ten epochs; ``own-start``, M(e) of the first e
      with the greatest Δm (by tasks) over the run's own M(1); ``test``, M(e) of the first e with the greatest Δm (by
      the convention) over B. The last two choose on the test split. For single-task networks they choose an epoch for
      each task, as for a run of its own: the best one by the task's part of that Δm, or for ``test`` by its primary
      metric.
    - `average`: Δm is the mean of r within each task, then over tasks (``task``), of all r (``metric``), or of the
      tasks' primary metrics (``main``).
    - `sign`: Δm is 100 r (``gain``) or -100 r (``drop``).
    - `base`: B is a printed value (``constants``), or the run's own M(1) (``own-start``). Where there are no constants,
      or where they do not fit the runs, B is the mean of the single-task runs.

    Attributes:
        source: the code or the papers that use it.
        protocols: names of the dataset's training protocols that belong to it.
        batches: the batches that metrics are averaged over; None if every metric is of all test examples together.
        together: metrics of all test examples together even then.
        constants: the printed values of B.
        clip: a sentence on the clipping of the code, which the settings of a training protocol describe only in part.
        note: a sentence on other reasons why its numbers differ.
    """

    source: str
    protocols: tuple[str, ...] = ()
    epoch: _Epoch
    batches: Batches | None = None
    together: tuple[str, ...] = ()
    average: _Average
    sign: _Sign
    base: _Base
    constants: SingleTaskValues | None = None
    clip: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        for name, allowed in {"epoch": _Epoch, "average": _Average, "sign": _Sign, "base": _Base}.items():
            if (value := getattr(self, name)) not in get_args(allowed):
                raise PluginError(
                    f"the {name} of a convention (of {self.source}) is '{value}'.",
                    allowed=f"Allowed: {', '.join(get_args(allowed))}.",
                )

    @property
    def chooses_on_test(self) -> bool:
        """True if the epoch is chosen by the metrics that are reported, so that its numbers are too good."""
        return self.epoch in ON_TEST
