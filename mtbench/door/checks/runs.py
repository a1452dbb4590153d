"""The finished runs of a results folder or a pack whose records are checked."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mtbench.errors import StoreError
from mtbench.plan.spec import RunSpec
from mtbench.report.text import seeds
from mtbench.store.record import Record
from mtbench.store.results import run_folders
from mtbench.store.run.folder import RunFolder
from mtbench.store.trust import record_sum

__all__ = ["FinishedRun", "finished_runs", "named"]


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A run with a record that matches its own checksum.

    Attributes:
        name: the folder of the run below the results, with slashes.
        folder: the folder.
        record: its record.
        sum: the SHA-256 sum of ``record.json``.
    """

    name: str
    folder: RunFolder
    record: Record
    sum: str

    @property
    def spec(self) -> RunSpec:
        """The spec in the record, with the paths of files among its options that this machine knows."""
        try:
            spec = self.folder.spec()
        except StoreError:
            return self.record.spec
        return spec if spec.id == self.record.spec.id else self.record.spec


def finished_runs(results: Path) -> list[FinishedRun]:
    """Return the finished runs whose records are whole, superseded ones left out, by dataset and then by path.

    Raises:
        StoreError, NewerResults: see `mtbench.store.results.run_folders`.
    """
    found = []
    for folder in run_folders(results, lambda _: None):
        try:
            record = folder.record()
        except StoreError:
            continue  # which is what `mtbench.store.upkeep.verify` says of it
        if record is not None:
            name = folder.path.relative_to(results).as_posix()
            found.append(FinishedRun(name=name, folder=folder, record=record, sum=record_sum(folder.path)))
    return sorted(found, key=lambda run: (str(run.record.spec.dataset), run.name))


def named(runs: Iterable[FinishedRun]) -> str:
    """Return runs in words: ``mmnist2 td seeds 0, 1; mmnist2 moo seed 3``."""
    groups: dict[str, list[int]] = {}
    for run in runs:
        titles = run.record.spec.titles
        groups.setdefault(f"{titles.dataset} {titles.method}", []).append(run.record.spec.seed)
    return "; ".join(f"{title} {seeds(set(who))}" for title, who in groups.items())
