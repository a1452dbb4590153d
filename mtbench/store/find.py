"""One run, found by its identity, the beginning of it, or its folder."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mtbench.errors import StoreError, UsageError, shortlist
from mtbench.store.files.reading import size_of
from mtbench.store.status import RunStatus, survey
from mtbench.store.trust import earned_by, read_earned
from mtbench.store.union import survey_all

__all__ = ["find_run"]

_MOST = 10
"""The largest number of runs that an error lists."""


def find_run(name: str, folders: Sequence[Path], root: Path, unread: Callable[[str], None] | None = None) -> RunStatus:
    """Return the state of one run.

    Args:
        name: its identity, a beginning of it that no other run has, the name of its folder, or the path of its folder.
        folders: the results folders and packs that have it; they are not read if `name` is the path of a folder.
        root, unread: see `mtbench.store.status.survey`.

    Raises:
        UsageError: there is no such run, or there are several.
        StoreError: a folder cannot be read.
    """
    path = Path(name)
    if _is_run(path):
        return _trusted(survey(path, root, unread)[0], unread or (lambda _: None))
    runs = survey_all(folders, root, unread)
    found = [run for run in runs if name == run.folder.name or _identity(run).startswith(name)]
    if len(found) == 1:
        return found[0]
    where = ", ".join(map(str, folders))
    if found:
        named = [f"{_identity(run)} ({_described(run)})" for run in found]
        raise UsageError(
            f"{len(found)} runs in {where} have an id that begins with '{name}'.",
            allowed=f"They are {shortlist(named, most=_MOST)}.",
        )
    raise UsageError(
        f"there is no run '{name}' among the {len(runs)} in {where}.",
        mend="Give the id of a run, the beginning of one, or its folder: `mtbench why` and pages of reports show ids.",
    )


def _trusted(run: RunStatus, unread: Callable[[str], None]) -> RunStatus:
    """Return the state of a run with the level of trust that is kept in its results folder or pack."""
    results = Path(*run.folder.parts[:-3])  # dataset, method and run
    try:
        return replace(run, earned=earned_by(run.folder, read_earned(results)))
    except StoreError as cause:
        unread(str(cause))
        return run


def _is_run(path: Path) -> bool:
    try:
        return any(size_of(path / name) is not None for name in ("spec.json", "record.json"))
    except StoreError:
        return False


def _identity(run: RunStatus) -> str:
    """Return the identity of a run, with which the name of its folder ends; to compute it takes longer."""
    return run.folder.name.rpartition("-")[2]


def _described(run: RunStatus) -> str:
    titles = run.spec.titles
    return f"{titles.dataset}, {titles.protocol}, {titles.method}, seed {run.spec.seed}"
