"""Results folders of toy runs that were trained, and records that a forger has changed and sealed again."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.record import Record, TaskResult, render_record
from mtbench.store.results import mark_results
from mtbench.store.run.folder import RunFolder

__all__ = ["forge", "pack", "train", "with_metric"]


def train(results: Path, datasets: Iterable[str], seeds: Iterable[int], methods: Iterable[str] = ("uniform",)) -> Path:
    """Train one epoch of each method on each dataset, and return the folder."""
    mark_results(results)
    request = Request(methods=list(methods), datasets=list(datasets), settings={"epochs": "1"}, seeds=list(seeds))
    for spec in plan(request):
        run = RunFolder(results / spec.folder)
        run.write_spec(spec)
        execute(run, run.spec(), results, "cpu")
    return results


def forge(folder: Path, change: Callable[[Record], Record]) -> str:
    """Change a record and seal it again, as its own checksum does not prevent; return the folder below the results."""
    record = RunFolder(folder).record()
    assert record is not None
    (folder / "record.json").write_text(render_record(change(record)))
    return "/".join(folder.parts[-3:])


def with_metric(record: Record, split: str, task: str, **changes: Any) -> Record:
    """Return a record with another result of a task, and other metrics in it."""
    before = record.results[split][task]
    fields = {name: value for name, value in changes.items() if hasattr(before, name)}
    metrics = {
        **before.metrics,
        **{name.replace("_", "-"): value for name, value in changes.items() if name not in fields},
    }
    result: TaskResult = dataclasses.replace(before, **{"metrics": metrics, **fields})
    return dataclasses.replace(record, results={**record.results, split: {**record.results[split], task: result}})


def pack(results: Path, file: Path) -> Path:
    """Write a results folder into a pack, and return it."""
    contents = collect(results, weights=False)
    write_pack(file, contents.members, contents.left_out)
    return file
