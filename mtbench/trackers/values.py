"""Values that are sent of a run: the numbers of its curve by name, and its hyperparameters.

Names, for a task ``left``:

    training/left/loss    mean training loss of the epoch
    test/left/loss        loss on a split, in evaluation mode: test, or val if one is held out
    test/left/accuracy    each metric of the task on that split
    weights/left/mean     weight that the balancer gave the task: mean, low and high
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator, Sequence

from mtbench.contract.options import render_value
from mtbench.plan.spec import RunSpec
from mtbench.store.record import CurvePoint
from mtbench.trackers.tracker import Setting, TrackedRun

__all__ = ["settings_of", "tracked_run", "values_of"]


def values_of(point: CurvePoint) -> dict[str, float]:
    """Return the numbers of a point of a curve by name; undefined and infinite ones are left out."""
    return {name: value for name, value in _numbers(point) if math.isfinite(value)}


def settings_of(spec: RunSpec) -> dict[str, Setting]:
    """Return the hyperparameters of a run: names of its parts, their options, and all settings of the protocol."""
    found: dict[str, Setting] = {
        "dataset": spec.titles.dataset,
        "method": spec.titles.method,
        "backbone": str(spec.backbone),
        "seed": spec.seed,
    }
    for part in ("dataset", "network", "balancer", "backbone"):
        choice = getattr(spec, part)
        found.update({f"{part}.{name}": value for name, value in choice.options.items()})
    for field in dataclasses.fields(spec.protocol):
        value = getattr(spec.protocol, field.name)
        name = "protocol" if field.name == "name" else field.name
        found[name] = value if isinstance(value, bool | int | float) else render_value(value)
    return found


def tracked_run(spec: RunSpec, curve: Sequence[CurvePoint]) -> TrackedRun:
    """Return a run as trackers know it.

    Args:
        spec: the request for the run.
        curve: its curve, of which the first point is part of the key.
    """
    first = json.dumps(values_of(curve[0]), sort_keys=True)
    key = f"{spec.id}-{hashlib.sha256(first.encode()).hexdigest()[:6]}"
    return TrackedRun(key=key, name=spec.folder.removesuffix(spec.id) + key, settings=settings_of(spec))


def _numbers(point: CurvePoint) -> Iterator[tuple[str, float]]:
    for task, loss in point.train_losses.items():
        yield f"training/{task}/loss", loss
    for split, results in point.results.items():
        for task, result in results.items():
            yield f"{split}/{task}/loss", result.loss
            for metric, value in result.metrics.items():
                yield f"{split}/{task}/{metric}", value
    for task, weight in (point.weights or {}).items():
        for name, value in dataclasses.asdict(weight).items():
            yield f"weights/{task}/{name}", value
