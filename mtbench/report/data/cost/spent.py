"""The resources that the numbers of a row have taken: all its runs, and the searches that chose its settings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mtbench import registry
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.studies import StudyRuns
from mtbench.store.record import TRAINING_MACS, Record

__all__ = ["Spent", "searches_of", "spent", "training_macs"]


@dataclass(frozen=True, kw_only=True)
class Spent:
    """The resources behind a row; None where they are not known of all its runs.

    Attributes:
        trials: number of trials of its searches, failed ones among them; 0 if nothing was searched for it.
        runs: number of trained runs, those of trials among them.
        epochs: epochs of all runs together.
        labels: labels that entered a loss.
        macs: multiply-accumulates of the forward passes of training.
        seconds: wall-clock seconds, evaluations among them.
        memory: bytes at the peak of the run that took most.
    """

    trials: int
    runs: int
    epochs: int
    labels: int | None
    macs: float | None
    seconds: float
    memory: int | None


def spent(methods: Iterable[MethodRuns], searches: Sequence[StudyRuns] = ()) -> Spent | None:
    """Return the resources of the finished runs of methods and of the trials of searches, each run once.

    Of a search whose trials have no records here its own sums are taken, which lack labels, operations and memory.
    None before a run has finished.
    """
    found = {record.spec.id: record for method in methods for record in method.records.values()}
    bare = [each.study.spent for each in searches if len(each.tried) < each.study.spent.runs]
    for each in searches:
        if len(each.tried) >= each.study.spent.runs:
            found |= {run.spec.id: run.record for run in each.tried if run.record}
    records = list(found.values())
    if not records and not bare:
        return None
    macs = [training_macs(record) for record in records]
    known = [each for each in macs if each is not None]
    return Spent(
        trials=sum(each.study.finished for each in searches),
        runs=len(records) + sum(each.runs for each in bare),
        epochs=sum(record.epochs for record in records) + sum(each.epochs for each in bare),
        labels=None if bare else sum(record.cost.label_uses for record in records),
        macs=None if bare or len(known) < len(macs) else sum(known),
        seconds=sum(record.cost.wall_seconds for record in records) + sum(each.seconds for each in bare),
        memory=None if bare else max(record.cost.peak_memory for record in records),
    )


def searches_of(method: MethodRuns, studies: Iterable[StudyRuns]) -> list[StudyRuns]:
    """Return the searches that chose the settings of a method: a trial after the default was retrained as its runs."""
    own = {run.spec.id for run in method.runs}
    return [
        found
        for found in studies
        if any(run.spec.id in own for number, runs in found.again.items() if number for run in runs)
    ]


def training_macs(record: Record) -> float | None:
    """Return the multiply-accumulates of the forward passes of a training; None where they are not known.

    Records made before they were measured tell them in three cases, if each pass had one input per example. More labels
    than passes: a pass answered all tasks. Single-task networks: a pass answered one of the T tasks. One label for each
    pass and one pass for each example, while test examples have several labels: a pass answered the task that was drawn
    for the example.
    """
    if TRAINING_MACS in record.measurements:
        return record.measurements[TRAINING_MACS].value
    cost, tasks = record.cost, len(record.tasks)
    if cost.label_uses > cost.forward_passes:
        return float(cost.forward_passes * cost.macs_per_input)
    if tasks == 1 or not _has_several_labels(record):
        return None
    if record.spec.network.name in registry.with_role("method", registry.SINGLE_TASK):
        return cost.forward_passes * cost.macs_per_input / tasks
    protocol = record.spec.protocol
    visits = record.epochs * round(record.training_examples / protocol.fraction)
    if protocol.tasks_per_image == "native" and cost.forward_passes == cost.label_uses == visits:
        return float(cost.forward_passes * cost.macs_per_task)
    return None


def _has_several_labels(record: Record) -> bool:
    """Return whether two tasks have a label of every test example, by the shapes of their predictions."""
    results = record.results.get("test", {})
    whole = [
        name
        for name, stored in record.predictions.items()
        if stored.shape and name in results and results[name].count == stored.shape[0]
    ]
    return len(whole) > 1
