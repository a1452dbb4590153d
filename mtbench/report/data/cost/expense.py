"""The expense of a method, in training and in answering: the numbers that stand beside accuracy."""

import math
from collections import Counter
from dataclasses import dataclass
from statistics import median

from mtbench import registry
from mtbench.plan.spec import Choice
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.kept.runs import is_elsewhere
from mtbench.store.record import Record

__all__ = ["Expense", "Spent", "Yardstick", "expense", "seconds_per_epoch", "spent", "yardstick"]


@dataclass(frozen=True, kw_only=True)
class Spent:
    """The expense of one run.

    Attributes:
        parameter_ratio: its weights over those of the single-task network.
        macs: multiply-accumulates to answer every task for one example.
        label_uses: labels that entered a loss.
        seconds: seconds of training per epoch, see `seconds_per_epoch`; NaN if it does not have them.
        memory: bytes at the peak.
    """

    parameter_ratio: float
    macs: int
    label_uses: int
    seconds: float
    memory: int


@dataclass(frozen=True, kw_only=True)
class Expense:
    """The expense of a method.

    Attributes:
        parameter_ratio: its weights over those of the single-task network, of its last run.
        macs: multiply-accumulates to answer every task for one example, of its last run.
        label_uses: labels that entered a loss, mean over runs.
        seconds: seconds of training per epoch, see `seconds_per_epoch`; None if no run has them.
        relative: `seconds` over those of the yardstick; None if one of them is not known.
        memory: bytes at the peak, the most of any run.
        elsewhere: True if some of its runs are kept ones of another machine, so that its seconds are not compared.
    """

    parameter_ratio: float
    macs: int
    label_uses: float
    seconds: float | None
    relative: float | None
    memory: int
    elsewhere: bool = False


@dataclass(frozen=True, kw_only=True)
class Yardstick:
    """The method whose seconds of training per epoch are one: its title and those seconds."""

    method: str
    seconds: float


def expense(method: MethodRuns, unit: Yardstick | None, *, elsewhere: bool = False) -> Expense | None:
    """Return the expense of a method; None before a run has finished.

    Args:
        unit: see `yardstick`.
        elsewhere: see `Expense`.
    """
    runs = [spent(record) for record in method.records.values()]
    if not runs:
        return None
    latest, seconds = runs[-1], seconds_per_epoch(method)
    return Expense(
        parameter_ratio=latest.parameter_ratio,
        macs=latest.macs,
        label_uses=sum(run.label_uses for run in runs) / len(runs),
        seconds=seconds,
        relative=None if unit is None or seconds is None or elsewhere else seconds / unit.seconds,
        memory=max(run.memory for run in runs),
        elsewhere=elsewhere,
    )


def spent(record: Record) -> Spent:
    """Return the expense of a run."""
    return Spent(
        parameter_ratio=record.parameters.weights / record.parameters.single_weights,
        macs=record.cost.macs_per_input,
        label_uses=record.cost.label_uses,
        seconds=_seconds(record),
        memory=record.cost.peak_memory,
    )


def yardstick(comparison: Comparison) -> Yardstick | None:
    """Return the reference network with the reference balancer, without options, on the backbone that most methods
    have.

    None if it is not in the comparison, if no run of it tells its seconds, if some runs were on a GPU and some not, or
    if it is kept from another machine.
    """
    if len({record.numerics.device for method in comparison.methods for record in method.records.values()}) > 1:
        return None
    specs = {method.title: method.runs[0].spec for method in comparison.methods}
    backbones = Counter(str(spec.backbone) for spec in specs.values())
    network, balancer = (Choice(name=registry.reference(kind)) for kind in ("method", "balancer"))
    plain = (network, balancer, backbones.most_common(1)[0][0])
    for method in comparison.methods:
        spec = specs[method.title]
        if is_elsewhere(comparison, method):
            continue
        if (spec.network, spec.balancer, str(spec.backbone)) == plain and (seconds := seconds_per_epoch(method)):
            return Yardstick(method=method.title, seconds=seconds)
    return None


def seconds_per_epoch(method: MethodRuns) -> float | None:
    """Return the median over runs of the seconds that training steps took per epoch, those of the evaluations left out.

    Of a CPU they are the process's own, which other processes lengthen little; of a GPU, those on the clock.
    """
    known = [seconds for record in method.records.values() if math.isfinite(seconds := _seconds(record))]
    return median(known) if known else None


def _seconds(record: Record) -> float:
    cost = record.cost
    spent = cost.training_cpu_seconds if record.numerics.device == "cpu" else cost.training_wall_seconds
    return spent / record.epochs
