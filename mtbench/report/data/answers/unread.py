"""Predictions that cannot be read, in words."""

from collections.abc import Iterable, Mapping

from mtbench.errors import DamagedRecord, StoreError
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.text import listed
from mtbench.store.files.reading import size_of
from mtbench.store.record import Record
from mtbench.store.run.folder import RunFolder

__all__ = ["unread"]

_MISSING, _DAMAGED, _UNREADABLE = "are missing", "do not match their checksum", "cannot be read"


def unread(methods: Iterable[MethodRuns]) -> str:
    """Return a clause on the runs whose predictions for single images cannot be read; empty if all can be.

    Example: ``the predictions of uniform seed 0 are missing, those of td seeds 0 and 2 do not match their checksum``.
    """
    found: dict[str, dict[str, list[int]]] = {}
    for method in methods:
        for run in method.runs:
            if run.record is not None and _of_images(run.record):
                try:
                    RunFolder(run.folder).predictions(run.record)
                except DamagedRecord:
                    why = _DAMAGED
                except StoreError:
                    why = _MISSING if size_of(run.folder / "predictions.npz") is None else _UNREADABLE
                else:
                    continue
                found.setdefault(why, {}).setdefault(method.title, []).append(run.spec.seed)
    return ", ".join(
        f"{'those' if place else 'the predictions'} of {_named(runs)} {why}"
        for place, (why, runs) in enumerate(found.items())
    )


def _of_images(record: Record) -> bool:
    """Return True if the run stored predictions of one class or a few numbers an image, as far as is known."""
    stored = record.predictions.values()
    return not stored or any(not each.why_not and len(each.shape) <= 2 for each in stored)


def _named(runs: Mapping[str, list[int]]) -> str:
    return listed(
        [
            f"{title} seed{'s' * (len(seeds) > 1)} {listed([str(seed) for seed in sorted(seeds)])}"
            for title, seeds in runs.items()
        ]
    )
