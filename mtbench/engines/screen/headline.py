"""One number of a finished run, for the screen. Imports no torch."""

from pathlib import Path

from mtbench.errors import MtbenchError
from mtbench.store.record import Record
from mtbench.store.run.folder import RunFolder

__all__ = ["headline", "headline_of_folder"]


def headline(record: Record) -> tuple[str, str, float]:
    """Return the name, the unit and the value of one number on the test split; of a trial, on the validation split.

    It is the mean over tasks of the primary metric or, where tasks have unlike ones, that of the first task.
    """
    first, *others = record.tasks
    split = "val" if record.spec.trial else "test"
    if not others:
        return first.metric, first.unit, record.score(first, split)
    if {task.metric for task in others} == {first.metric}:
        return f"mean {first.metric}", first.unit, record.mean(split)
    return f"{first.metric} of {first.name}", first.unit, record.score(first, split)


def headline_of_folder(folder: Path) -> tuple[str, float] | None:
    """Return the number of the run in a folder, e.g. ``70.2 %``, and its seconds of training and evaluation.

    Returns:
        None if the folder has no record that can be read.
    """
    try:
        record = RunFolder(folder).record()
    except MtbenchError:
        return None
    if record is None:
        return None
    _, unit, value = headline(record)
    return (f"{value:.1f} %" if unit == "%" else f"{value:.4g} {unit}".rstrip()), record.cost.wall_seconds
