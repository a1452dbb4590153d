"""Weights of rows of the second stage of suites, in ``suites/resolutions/`` of a results folder.

A row such as ``branches+fixed:from=nash-mtl`` is trained with weights that are computed from the runs of another row.
They are written before its first run, with the identities of these runs, and never change: a later record of the first
stage does not move the weights of runs that are there.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from mtbench.errors import StoreError, UsageError
from mtbench.plan.suite.stages.resolution import DIGITS, FORMAT, Resolution
from mtbench.store.files.atomic import make_folder, write_text
from mtbench.store.files.reading import files_below
from mtbench.store.record import Record
from mtbench.store.record.sealed import seal
from mtbench.store.results import mark_results
from mtbench.store.status import RunStatus
from mtbench.store.suites.files import RESOLUTIONS, read_sealed

__all__ = [
    "mean_weights",
    "moved_rows",
    "read_resolution",
    "read_resolutions",
    "resolution_path",
    "unlike_resolutions",
    "write_resolution",
]

_KIND = "resolution"
_MEND = (
    "Restore it from a copy. If there is none, remove it and the runs of its row: the next `mtbench run --suite` takes "
    "the weights from the runs of the first stage again."
)


def mean_weights(records: Sequence[Record]) -> tuple[float, ...]:
    """Return the mean task weights (T,) of some runs of one method: their sum is 1, and they have `DIGITS` decimals.

    The weights at each point of a curve are divided by their sum first, so that every epoch counts the same whatever
    the length of the gradient there, which changes Adam's steps little. Then follow the mean over the steps of each
    run, and the mean over runs.

    Raises:
        UsageError: a run has no task weights, or they have no such mean.
    """
    each = [_of_run(record) for record in records]
    means = [math.fsum(column) / len(each) for column in zip(*each, strict=True)]
    rounded = tuple(round(mean, DIGITS) for mean in means)
    if any(weight < 0 for weight in rounded):
        shown = "/".join(f"{weight:g}" for weight in rounded)
        raise UsageError(f"the mean of its task weights is {shown}, and weights below 0 cannot be given to a balancer.")
    return rounded


def resolution_path(results: Path, resolution: Resolution) -> Path:
    """Return the path of the resolution of a row in a results folder."""
    row = json.dumps(resolution.row, separators=(",", ":"))
    return results / RESOLUTIONS / f"{resolution.suite}-{hashlib.sha256(row.encode()).hexdigest()[:12]}.json"


def write_resolution(results: Path, resolution: Resolution) -> Resolution:
    """Write the resolution of a row into a results folder, unless there is one; return the one that is there then.

    Raises:
        DamagedRecord, NewerResults: see `read_resolution`.
        StoreError: it cannot be written.
    """
    path = resolution_path(results, resolution)
    if (there := read_resolution(path)) is not None:
        return there
    mark_results(results)
    dated = replace(resolution, at=datetime.now(UTC).isoformat(timespec="seconds"))
    make_folder(path.parent)
    write_text(path, seal(_KIND, asdict(dated)))
    return dated


def read_resolution(path: Path) -> Resolution | None:
    """Read a resolution and check it against its checksum; None if there is none.

    Raises:
        DamagedRecord: it is no resolution, or was changed after it was written.
        NewerResults: a newer mtbench wrote it.
    """
    return read_sealed(_KIND, path, _READER, newest=FORMAT, mend=_MEND)


def read_resolutions(folders: Iterable[Path], unread: list[str] | None = None) -> list[Resolution]:
    """Return the resolutions in some results folders or packs, one for each row.

    Args:
        folders: the folders and packs.
        unread: sentences on resolutions that cannot be read, and on rows with two, of which the earlier counts, are
            added here. Without it they are errors.

    Raises:
        StoreError: one cannot be read, or a row has two, and there is no `unread`.
    """
    found: dict[tuple[object, ...], tuple[Resolution, Path]] = {}
    for folder in folders:
        for name in files_below(folder / RESOLUTIONS):
            path = folder / RESOLUTIONS / name
            try:
                resolution = read_resolution(path)
                if resolution is None:
                    continue
                known, where = found.get(resolution.row, (resolution, path))
                found[resolution.row] = min((known, where), (resolution, path), key=lambda pair: pair[0].at)
                if not known.agrees(resolution):
                    raise unlike_resolutions(known, resolution, (where, path))
            except StoreError as cause:
                if unread is None:
                    raise
                unread.append(str(cause))
    return [resolution for resolution, _ in found.values()]


def moved_rows(resolutions: Iterable[Resolution], runs: Iterable[RunStatus]) -> set[tuple[object, ...]]:
    """Return the `Resolution.row` of those whose weights are not the mean of the present records of their runs.

    Those whose runs do not all have a record are left out.
    """
    records = {run.folder.name.rpartition("-")[2]: run.record for run in runs if run.record}
    return {
        each.row
        for each in resolutions
        if records.keys() >= set(each.runs) and _mean_or_none([records[run] for run in each.runs]) != each.weights
    }


def unlike_resolutions(one: Resolution, other: Resolution, paths: tuple[Path, Path]) -> StoreError:
    """Return the error for two different resolutions of a row, with the files that they are in."""
    return StoreError(
        f"{one.method} on {one.dataset} of suite '{one.suite}', size {one.size}, has different weights in two places: "
        f"{one.listed} in {paths[0]}, and {other.listed} in {paths[1]}.",
        mend="Leave one of the folders out: each row has the weights of one set of runs.",
    )


def _mean_or_none(records: Sequence[Record]) -> tuple[float, ...] | None:
    try:
        return mean_weights(records)
    except UsageError:
        return None


def _of_run(record: Record) -> list[float]:
    """Return the mean task weights of one run (T,), with the sum 1.

    Raises:
        UsageError: there are none.
    """
    names = [task.name for task in record.tasks]
    parts: list[list[float]] = []
    steps: list[int] = []
    before = 0
    for point in record.curve:
        weights = [point.weights[name].mean if point.weights and name in point.weights else math.nan for name in names]
        total = math.fsum(weights)
        if not (math.isfinite(total) and total > 0):
            raise UsageError(
                f"{record.spec.titles.method} on {record.spec.titles.dataset}, seed {record.spec.seed}, has no task "
                f"weights with a sum above 0 up to epoch {point.epoch}, of which a mean could be taken."
            )
        parts.append([weight / total for weight in weights])
        steps.append(point.steps - before)
        before = point.steps
    if not before:
        raise UsageError(f"{record.spec.titles.method} on {record.spec.titles.dataset} has no curve with task weights.")
    return [
        math.fsum(part * count for part, count in zip(column, steps, strict=True)) / before
        for column in zip(*parts, strict=True)
    ]


_READER = TypeAdapter(Resolution)
