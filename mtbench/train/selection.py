"""The epoch whose weights are reported with ``select=best-val``; the test split is not used for it.

Tasks that share nothing have an epoch each: a single-task network is selected as in a run of its own, independently of
the other networks of the run.
"""

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mtbench.contract import Network, Task
from mtbench.errors import UsageError
from mtbench.store.record import CurvePoint

__all__ = ["best_epoch", "best_epochs", "keep_best"]


def best_epochs(network: Network, curve: Sequence[CurvePoint], tasks: Sequence[Task]) -> Mapping[str, int]:
    """Return the epoch whose weights answer each task: the `best_epoch` of the tasks that it shares anything with.

    Raises:
        UsageError: see `best_epoch`.
    """
    return {task.name: best_epoch(curve, _together(network, curve, tasks, index)) for index, task in enumerate(tasks)}


def keep_best(
    kept: Mapping[str, Any] | None, network: Network, curve: Sequence[CurvePoint], tasks: Sequence[Task]
) -> Mapping[str, Any] | None:
    """Return the state to report, given that up to the point before and the network at the last point.

    Raises:
        UsageError: see `best_epoch`.
    """
    now = curve[-1].epoch
    replaced = [names for members, names in _groups(network, curve, tasks) if best_epoch(curve, members) == now]
    if not replaced:
        return kept
    state = network.state_dict()
    new = {name for names in replaced for name in names}
    return {**(kept or {}), **{name: copy.deepcopy(value) for name, value in state.items() if name in new}}


def _groups(
    network: Network, curve: Sequence[CurvePoint], tasks: Sequence[Task]
) -> Iterator[tuple[Sequence[Task], set[str]]]:
    """Yield tasks, and the names in the network's state that are selected by their metrics."""
    rest = set(network.state_dict())
    for index in range(len(tasks)):
        parts = tuple(f"{part}." for part in network.alone(index))
        own = {name for name in rest if parts and name.startswith(parts)}
        rest -= own
        if own:
            yield _together(network, curve, tasks, index), own
    if rest:
        yield tasks, rest


def _together(network: Network, curve: Sequence[CurvePoint], tasks: Sequence[Task], index: int) -> Sequence[Task]:
    """Return the tasks by which the epoch of a task is selected: all, unless it is alone and can be measured."""
    task = tasks[index]
    is_measured = math.isfinite(curve[0].results["val"][task.name].metrics[task.kind.metrics[0].name])
    return (task,) if network.alone(index) and is_measured else tasks


def best_epoch(curve: Sequence[CurvePoint], tasks: Sequence[Task]) -> int:
    """Return the epoch of the point with the best mean over tasks of the gain on the validation split.

    With M_t(e) the primary metric of task t after epoch e, e0 the first point's epoch, and s_t = 1 if higher is better,
    else -1: gain_t(e) = s_t (M_t(e) - M_t(e0)) / |M_t(e0)|. The earliest of equally good points is returned, so that a
    later point changes nothing among those before it.

    If M_t(e0) is 0, the divisor is the first |M_t| that is not; up to there the gain is 0. A task whose metric is not
    finite at e0, e.g. without labels, is left out. A point where another task's metric is not finite is never returned.

    Raises:
        UsageError: no task has a finite metric at the first point.
    """
    values = [[point.results["val"][task.name].metrics[task.kind.metrics[0].name] for point in curve] for task in tasks]
    gains = [
        _gains(series, 1 if task.kind.metrics[0].higher_is_better else -1)
        for task, series in zip(tasks, values, strict=True)
        if math.isfinite(series[0])
    ]
    if not gains:
        raise UsageError(
            "protocol setting 'select' is 'best-val', and no task can be measured on the validation split.",
            mend="Use --set select=last.",
        )
    means = [sum(each) / len(each) for each in zip(*gains, strict=True)]
    best = max(range(len(curve)), key=lambda index: means[index] if math.isfinite(means[index]) else -math.inf)
    return curve[best].epoch


def _gains(series: Sequence[float], sign: int) -> list[float]:
    divisor = next((abs(value) for value in series if value and math.isfinite(value)), 1.0)
    return [sign * (value - series[0]) / divisor for value in series]
