"""Runs retrained by the code that is here, and their numbers beside those of the records."""

import dataclasses
import hashlib
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mtbench.door.checks.runs import FinishedRun, named
from mtbench.door.training.work import Work
from mtbench.engines.chosen import Execution
from mtbench.engines.screen.display import Display
from mtbench.errors import MtbenchError, Stopped, StoreError
from mtbench.stats.prediction import prediction_interval
from mtbench.store.identity.data import data_fingerprint
from mtbench.store.record import Record
from mtbench.store.record.sealed import strict_json
from mtbench.store.run.folder import RunFolder
from mtbench.store.status import status_of

__all__ = [
    *("BITS", "DIFFERS", "FAILED", "INTERVAL", "OUTCOMES", "UNDECIDED"),
    *("Again", "Rerun", "compared", "draw", "rerun"),
]

BITS, INTERVAL, UNDECIDED, DIFFERS, FAILED = "bits", "interval", "undecided", "differs", "failed"
OUTCOMES = {
    BITS: "equal to the bit",
    INTERVAL: "within the prediction interval of the seeds",
    UNDECIDED: "no other seed to make an interval of, so that nothing is concluded",
    DIFFERS: "different",
    FAILED: "failed",
}
"""Outcomes of a run that is retrained, with their meanings."""
LEVEL = 0.05
"""Probability that an honest rerun has a metric outside of its interval, over all tasks of the run together."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """A primary metric of a run that was retrained.

    Attributes:
        task, metric: its place.
        stored: the value in the record.
        again: the value of the rerun.
        interval: the prediction interval of the row's seeds; None if it has fewer than two.
    """

    task: str
    metric: str
    stored: float
    again: float
    interval: tuple[float, float] | None

    @property
    def fits(self) -> bool:
        """True if the value of the rerun is in the interval."""
        if self.interval is None:
            return False
        low, high = self.interval
        return low <= self.again <= high or math.isclose(self.stored, self.again, rel_tol=1e-12)


@dataclass(frozen=True, kw_only=True)
class Rerun:
    """A run that was retrained.

    Attributes:
        run: the run.
        outcome: one of `OUTCOMES`.
        by: the way of comparing and its reason, in a clause; of a failure its reason.
        values: the primary metric of each task, stored and again.
    """

    run: FinishedRun
    outcome: str
    by: str
    values: tuple[Again, ...] = ()


def draw(runs: Sequence[FinishedRun], count: int, salt: str = "") -> list[FinishedRun]:
    """Return runs drawn by the sums of all records, so that the sums decide and nobody chooses.

    With S the SHA-256 sum of the sorted sums of all records, joined by line feeds, and of the salt after one more: the
    runs with the smallest SHA-256 sums of S, a space and the sum of their own record.

    Args:
        runs: all runs.
        count: the number to draw.
        salt: a text that whoever made the runs could not know, such as the hash of a later commit.
    """
    whole = hashlib.sha256("\n".join([*sorted(run.sum for run in runs), salt]).encode()).hexdigest()
    return sorted(runs, key=lambda run: hashlib.sha256(f"{whole} {run.sum}".encode()).hexdigest())[:count]


def rerun(
    runs: Sequence[FinishedRun],
    count: int,
    root: Path,
    places: Sequence[str],
    *,
    display: Callable[[int], Display],
    say: Callable[[str], None],
    salt: str = "",
) -> list[Rerun]:
    """Train some runs again in a temporary folder, and compare them with their records.

    Args:
        runs: all finished runs of the results.
        count: the number of runs to draw; see `draw`.
        root: the folder of the data files.
        places: a device for each run that may be at work at a time.
        display: see `mtbench.door.training.work.Work`.
        say: called with sentences on runs that cannot be drawn, and on those that are.
        salt: see `draw`.

    Raises:
        StoreError: there is no place for a temporary folder.
        Stopped: Ctrl-C or SIGTERM was received; nothing is left of the reruns.
    """
    obstacles = {run.name: _obstacle(run, root) for run in runs}
    for why in dict.fromkeys(filter(None, obstacles.values())):
        those = named(run for run in runs if obstacles[run.name] == why)
        say(f"Not drawn, as they cannot be trained here: {those} ({why})")
    able = [run for run in runs if not obstacles[run.name]]
    drawn = draw(able, count, salt)
    for run in drawn:
        say(f"Drawn of {len(able)}: {run.name}")
    with tempfile.TemporaryDirectory(prefix="mtbench-rerun-") as folder:
        work = Work(results=Path(folder), root=root, execution=Execution(places=places), display=display, say=say)
        specs = [run.spec for run in drawn]
        work.check(specs)
        try:
            found = work(specs) if specs else []
        except Stopped as cause:
            raise Stopped(cause.given, mend="Nothing of the reruns is kept.") from cause
        return [
            compared(run, RunFolder(status.folder), status.record, status.why, runs, root)
            for run, status in zip(drawn, found, strict=True)
        ]


def _obstacle(run: FinishedRun, root: Path) -> str:
    """Return why a run cannot be trained here; empty if it can be."""
    try:
        run.spec.resolve()
        here = data_fingerprint(run.spec.dataset, root, run.spec.files)
    except MtbenchError as cause:
        return str(cause).rstrip(".")
    return "" if here else f"the data of {run.spec.dataset} are not on this machine"


def compared(
    run: FinishedRun, folder: RunFolder, again: Record | None, why: str, runs: Sequence[FinishedRun], root: Path
) -> Rerun:
    """Compare a run with its rerun.

    Args:
        run: the run.
        folder: the folder of the rerun.
        again: the record of the rerun; None if it failed.
        why: the reason of a failure.
        runs: all runs, among which are the seeds of its row.
        root: the folder of the data files.
    """
    if again is None:
        return Rerun(run=run, outcome=FAILED, by=why or "it left no record")
    values = tuple(_values(run, again, runs))
    if _same_bits(run, again, folder):
        return Rerun(run=run, outcome=BITS, by="results, weights and predictions are compared by bits", values=values)
    if not (unlike := _unlike(run, again, root)):
        by = "compared by bits, as code, data and numerics are those of the record"
        return Rerun(run=run, outcome=DIFFERS, by=by, values=values)
    by = f"compared with the prediction interval of the seeds, as {unlike}"
    if any(value.interval is None for value in values):
        return Rerun(run=run, outcome=UNDECIDED, by=by, values=values)
    return Rerun(run=run, outcome=INTERVAL if all(value.fits for value in values) else DIFFERS, by=by, values=values)


def _values(run: FinishedRun, again: Record, runs: Sequence[FinishedRun]) -> list[Again]:
    split = "val" if run.record.spec.trial else "test"
    row = [each.record for each in runs if _row(each.record) == _row(run.record)]
    found = []
    for task in run.record.tasks:
        known = [value for record in row if math.isfinite(value := record.score(task, split))]
        found.append(
            Again(
                task=task.name,
                metric=task.metric,
                stored=run.record.score(task, split),
                again=again.value(task.name, task.metric, split),
                interval=prediction_interval(known, level=LEVEL / len(run.record.tasks)),
            )
        )
    return found


def _row(record: Record) -> str:
    """Return a text that is equal for the runs of one row of a table, which differ in nothing but the seed."""
    return dataclasses.replace(record.spec, seed=0).id


def _same_bits(run: FinishedRun, again: Record, folder: RunFolder) -> bool:
    """Return True if every number that the record has of the results, the weights and the predictions are equal."""
    stored = run.record
    if _numbers(stored, stored) != _numbers(again, stored):
        return False
    weights = stored.files.get("model.safetensors")
    if weights is not None and again.files.get("model.safetensors") != weights:
        return False
    if again.files.get("predictions.npz") == stored.files.get("predictions.npz"):
        return True
    try:  # another version of zlib packs the same arrays into other bytes
        mine, theirs = run.folder.predictions(stored), folder.predictions(again)
    except StoreError:
        return weights is not None
    return mine.keys() == theirs.keys() and all(
        np.array_equal(mine[name], theirs[name], equal_nan=True) for name in mine
    )


def _numbers(record: Record, named: Record) -> str:
    """Return the numbers of a record by which runs are compared, in one text: those of which another has the names."""
    found: Mapping[str, object] = {
        f"{split} {task}": [
            asdict(mine)[part] if part != "metrics" else {name: mine.metrics.get(name) for name in theirs.metrics}
            for part in ("loss", "count", "metrics")
        ]
        for split, tasks in named.results.items()
        for task, theirs in tasks.items()
        if (mine := record.results.get(split, {}).get(task)) is not None
    }
    return strict_json(found, sort_keys=True)


def _unlike(run: FinishedRun, again: Record, root: Path) -> str:
    """Return what differs between the making of a record and its rerun, as a clause; empty if nothing does."""
    status = status_of(run.folder.path, run.record.spec, root)
    stale = [f"the run is stale ({status.why})"] if status.state == "stale" else []
    return "; ".join([*stale, *again.numerics.differences(run.record.numerics), *run.record.notes])
