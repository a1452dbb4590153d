"""A world in which a run takes no time: what it scores is a formula in what was asked of it."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from mtbench.errors import Stopped
from mtbench.plan.spec import RunSpec
from mtbench.store.record import (
    CurvePoint,
    Record,
    TaskResult,
    render_record,
)
from mtbench.store.results import find_runs
from mtbench.store.run.folder import RunFolder
from mtbench.store.status import RunStatus
from tests.builders.records import accuracies, record_of

TASKS = accuracies("upper", "lower")


def validation_scores(spec: RunSpec) -> dict[str, float]:
    """More weight on a task helps it less and less; the best learning rate is 0.001; seeds shift all a little."""
    first, last = map(float, spec.balancer.options.get("weights", "0.5/0.5").split("/"))
    penalty = 5 * math.log10(spec.protocol.lr / 1e-3) ** 2 - 0.1 * (spec.seed % 7)
    return {"upper": 80 + 10 * math.sqrt(first) - penalty, "lower": 70 + 20 * math.sqrt(last) - penalty}


def held_back_scores(spec: RunSpec) -> dict[str, float]:
    """On the test split just the opposite is best."""
    return {name: 150 - score for name, score in validation_scores(spec).items()}


@dataclasses.dataclass
class World:
    """Does runs by a formula.

    Attributes:
        results: the folder of the runs.
        is_lost: a function that returns True for runs that become NaN.
        is_unmeasured: a function that returns True for runs in which a task has no label on the validation split.
        stop_after: raise Stopped at the call of this number, half of its runs done; None never.
        reads_test: True if records have test scores, False if NaN.
        calls: the runs of each call.
    """

    results: Path
    is_lost: Callable[[RunSpec], bool] = lambda _: False
    is_unmeasured: Callable[[RunSpec], bool] = lambda _: False
    stop_after: int | None = None
    reads_test: bool = True
    calls: list[tuple[str, list[RunSpec]]] = dataclasses.field(default_factory=list)

    def __call__(self, specs: Sequence[RunSpec], what: str) -> list[RunStatus]:
        self.calls.append((what, list(specs)))
        if self.stop_after is not None and len(self.calls) > self.stop_after:
            raise Stopped("stopped by SIGINT.")
        return [self._run(spec, folder) for spec, folder in zip(specs, find_runs(self.results, specs), strict=True)]

    def _run(self, spec: RunSpec, folder: RunFolder) -> RunStatus:
        if self.is_lost(spec):
            return RunStatus(folder=folder.path, spec=spec, state="failed", why="the loss became nan", record=None)
        folder.write_spec(spec)
        record = measured_by(spec, reads_test=self.reads_test, is_measured=not self.is_unmeasured(spec))
        (folder.path / "record.json").write_text(render_record(record))
        return RunStatus(folder=folder.path, spec=spec, state="fresh", why="", record=record)


def measured_by(spec: RunSpec, *, reads_test: bool, is_measured: bool) -> Record:
    splits = {"test": held_back_scores(spec) if reads_test else dict.fromkeys(("upper", "lower"), math.nan)}
    if spec.protocol.validation:
        splits["val"] = validation_scores(spec) | ({} if is_measured else {"lower": math.nan})
    results = {
        split: {name: TaskResult(loss=0.0, count=1, metrics={"accuracy": value}) for name, value in scores.items()}
        for split, scores in splits.items()
    }
    point = CurvePoint(epoch=spec.protocol.epochs, steps=6, label_uses=192, train_losses={}, results=results)
    return record_of(spec, TASKS, results, curve=(point,))
