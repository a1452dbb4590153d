"""Every metric of records derived again from stored predictions and the labels of datasets: no training."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from mtbench import __version__
from mtbench.door.checks.runs import FinishedRun
from mtbench.errors import DamagedRecord, DataError, MtbenchError, StoreError
from mtbench.store.files.reading import inside, size_of
from mtbench.store.record import Record
from mtbench.store.trust import Earned
from mtbench.train.machine.device import deterministic
from mtbench.train.machine.numerics import numerics
from mtbench.train.recompute.compare import Difference, differences, not_derived
from mtbench.train.recompute.derive import Derived, derive
from mtbench.train.recompute.labels import Labels, Reader

__all__ = ["Recomputed", "Unverifiable", "derive_run", "recompute"]

PREDICTIONS = "predictions.npz"


class Unverifiable(Exception):
    """The metrics of a run cannot be derived again; the text is a clause that says why."""


@dataclass(frozen=True, kw_only=True)
class Recomputed:
    """The runs of one results folder or pack by outcome.

    Attributes:
        equal: runs whose every metric is equal.
        rounded: those of `equal` with numbers that are equal to nine digits, since the run had other numerics.
        unverifiable: runs whose metrics cannot be derived again, by the reason.
        differing: runs with their differences.
        without: metrics that do not follow from what is stored, by run of `equal`.
        data: the fingerprint of the data on this machine, by run of `equal`.
    """

    equal: list[FinishedRun] = field(default_factory=list)
    rounded: list[FinishedRun] = field(default_factory=list)
    unverifiable: dict[str, list[FinishedRun]] = field(default_factory=dict)
    differing: list[tuple[FinishedRun, Sequence[Difference]]] = field(default_factory=list)
    without: dict[str, tuple[str, ...]] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)

    def earned(self) -> list[Earned]:
        """Return the entries of the runs whose every metric is equal."""
        return [
            Earned(
                run=run.name,
                record=run.sum,
                predictions=run.record.files.get(PREDICTIONS, ""),
                data=self.data[run.name],
                recomputed=True,
                without=self.without.get(run.name, ()),
                mtbench=__version__,
            )
            for run in self.equal
        ]


def recompute(
    runs: Sequence[FinishedRun],
    root: Path,
    *,
    wrong: Collection[Path] = (),
) -> Recomputed:
    """Derive every metric of runs again, and compare it with their records.

    Args:
        runs: the runs, those of one dataset together.
        root: the folder of the data files.
        wrong: folders of runs with a file that is not as it was recorded; they count as differing.
    """
    deterministic(torch.device("cpu"), "float32")
    reader, found = Reader(root), Recomputed()
    here = numerics(torch.device("cpu"))
    for run in runs:
        try:
            labels, derived = derive_run(run, reader)
        except Unverifiable as cause:
            found.unverifiable.setdefault(str(cause), []).append(run)
            continue
        except DataError as cause:
            found.differing.append((run, [_whole("data", run.record.fingerprints.data, str(cause))]))
            continue
        except DamagedRecord as cause:
            found.differing.append((run, [_whole(PREDICTIONS, run.record.files[PREDICTIONS], str(cause))]))
            continue
        same = not here.differences(run.record.numerics) and run.record.numerics.device == "cpu"
        unequal = list(differences(run.record, derived, same_numerics=same))
        if unequal or run.folder.path in wrong:
            found.differing.append((run, unequal))
        elif missing := _not_stored(run.record, derived):
            found.unverifiable.setdefault(missing, []).append(run)
        else:
            found.equal.append(run)
            found.data[run.name] = labels.fingerprint
            if not same and next(differences(run.record, derived, same_numerics=True), None):
                found.rounded.append(run)
            if left := not_derived(run.record, derived):
                found.without[run.name] = tuple(left)
    return found


def derive_run(run: FinishedRun, reader: Reader) -> tuple[Labels, Derived]:
    """Return the labels of a run, and what follows from them and its predictions.

    Raises:
        Unverifiable: it stored no predictions, they are not here, or neither are the data or the dataset.
        DataError: the data are altered, or not those of the record; the text names both sums.
        DamagedRecord: the predictions do not match their sum in the record, or are no arrays.
    """
    record, path = run.record, run.folder.path / PREDICTIONS
    if record.spec.trial or "test" not in record.results:
        raise Unverifiable("a trial of a search has no test split")
    if record.predictions and all(each.why_not for each in record.predictions.values()):
        raise Unverifiable(_reasons(record))
    if size_of(path) is None:
        raise Unverifiable(f"{PREDICTIONS} is not here{_left_out(path)}")
    if PREDICTIONS not in record.files:
        raise Unverifiable(f"the record has no sum of {PREDICTIONS}")
    try:
        stored = run.folder.predictions(record)
    except DamagedRecord:
        raise
    except StoreError as cause:
        raise DamagedRecord(str(cause)) from cause
    try:
        here = reader.fingerprint(run.spec)
        if here and here != record.fingerprints.data:
            raise DataError(f"the data of {record.spec.dataset} on this machine have the sum {here}")
        if not here:
            mend = f"`mtbench data prepare {record.spec.titles.dataset}` makes or fetches them"
            raise Unverifiable(f"the data of {record.spec.dataset} are not on this machine ({mend})")
        labels = reader.labels(run.spec)
    except DataError:
        raise
    except MtbenchError as cause:
        raise Unverifiable(str(cause).rstrip(".")) from cause
    return labels, derive(labels, stored)


def _left_out(path: Path) -> str:
    """Return the reason why a pack does not have a file, as its index gives it, in brackets; empty without."""
    found = inside(path)
    why = found[0].index.left_out.get(found[1], "") if found else ""
    return f" (left out of the pack: {why})" if why else ""


def _whole(name: str, stored: str, derived: str) -> Difference:
    return Difference(split="", task="", metric=name, stored=stored, derived=derived)


def _not_stored(record: Record, derived: Derived) -> str:
    """Return why metrics of some tasks are not derived; empty if those of all are."""
    lacking = [task.name for task in record.tasks if task.name not in derived.results]
    if not lacking:
        return ""
    reasons = [record.predictions[name].why_not for name in lacking if name in record.predictions]
    return " ".join(dict.fromkeys(filter(None, reasons))).rstrip(".") or f"it stored no predictions of {lacking[0]}"


def _reasons(record: Record) -> str:
    return " ".join(dict.fromkeys(each.why_not for each in record.predictions.values())).rstrip(".")
