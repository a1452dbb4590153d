"""The runs and searches of several results folders together.

A run is known by its identity: a run in two folders counts once, and two different records of it are an error, since
only the reader knows which one to believe.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from mtbench.errors import StoreError
from mtbench.store.kept import Kept
from mtbench.store.record import Record, render_record
from mtbench.store.record.sealed import seal
from mtbench.store.status import TRUST, RunStatus, by_title, survey
from mtbench.store.study import Study, in_order, read_studies, study_files
from mtbench.store.trust import LEVELS

__all__ = ["studies_of", "survey_all", "unlike_runs", "unlike_studies"]


def survey_all(
    folders: Sequence[Path], root: Path, unread: Callable[[str], None] | None = None, kept: Kept | None = None
) -> list[RunStatus]:
    """Return every run below some results folders, by dataset, method, protocol and seed.

    For a run in several folders the best state counts; among equal states, that with most of its files unchanged, then
    that with the highest level of trust, then that of the folder named first.

    Args:
        folders: the results folders and packs; for one of them all its runs are returned, as by
            `mtbench.store.status.survey`.
        root: the folder of the data files.
        unread, kept: see `mtbench.store.status.survey`.

    Raises:
        StoreError: a folder is missing or cannot be read, or two of them have different records of one run.
        NewerResults: a newer mtbench made one of them.
    """
    if len(folders) == 1:
        return survey(folders[0], root, unread, kept)
    found: dict[str, RunStatus] = {}
    for folder in folders:
        for run in survey(folder, root, unread, kept):
            known = found.get(run.folder.name)  # which ends with the identity
            if known is None:
                found[run.folder.name] = run
                continue
            if known.record and run.record and render_record(known.record) != render_record(run.record):
                raise unlike_runs((known.folder, known.record), (run.folder, run.record))
            if _rank(run) < _rank(known):
                found[run.folder.name] = run
    return by_title(found.values())


def studies_of(folders: Iterable[Path], unread: Callable[[str], None] | None = None) -> list[Study]:
    """Return every study below some results folders, by dataset and method.

    Args:
        folders: the results folders.
        unread: see `mtbench.store.study.read_studies`.

    Raises:
        StoreError: one cannot be read, or two folders have different results of one search.
    """
    found: dict[str, tuple[Path, Study]] = {}
    for folder in folders:
        for study in read_studies(folder, unread):
            other, known = found.setdefault(study.id, (folder, study))
            if known is not study and _text(known) != _text(study):
                raise unlike_studies((_place(other, known), known), (_place(folder, study), study))
    return in_order(study for _, study in found.values())


def _rank(run: RunStatus) -> tuple[int, int, int, int]:
    level = LEVELS.index(run.level) if run.level else 0
    return TRUST.index(run.state), len(run.changed), len(run.absent), -level


MEND = "Leave one of the folders out, or remove one of the two."


def unlike_runs(first: tuple[Path, Record], second: tuple[Path, Record]) -> StoreError:
    """Return the error for two different records of one run, each with the folder that it is in."""
    spec = first[1].spec
    return StoreError(
        f"one run ({spec.titles.dataset} {spec.titles.method} seed {spec.seed}) has two different records: "
        f"{_described(*first)}, and {_described(*second)}.",
        mend=MEND,
    )


def unlike_studies(first: tuple[Path, Study], second: tuple[Path, Study]) -> StoreError:
    """Return the error for different results of one search, each with the folder that it is in."""
    study = first[1]
    return StoreError(
        f"one search on {study.dataset}, {study.titles.method}, is in two folders with different results: "
        f"{first[0]} has {study.finished} trials and {second[0]} has {second[1].finished}.",
        mend=MEND,
    )


def _described(folder: Path, record: Record) -> str:
    task = record.tasks[0]
    value = f"{record.score(task):.6g} {task.unit}".rstrip()
    return f"{folder} of {record.finished} ({task.metric} of {task.name}: {value})"


def _text(study: Study) -> str:
    """Return a text that is equal for equal studies, with or without NaN among their numbers."""
    return seal("study", asdict(study))


def _place(folder: Path, study: Study) -> Path:
    return next((path.parent for path in study_files(folder) if path.parent.name.endswith(study.id)), folder)
