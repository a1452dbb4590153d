"""The state of runs: missing, running, failed, damaged, stale or fresh."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from mtbench import registry
from mtbench.errors import DamagedRecord, NewerResults, StoreError
from mtbench.plan.checked import with_checked_titles
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.compared import compared
from mtbench.store.identity.fingerprint import code
from mtbench.store.kept import Kept
from mtbench.store.record import Code, Record
from mtbench.store.results import run_folders
from mtbench.store.run.beside import absent_and_changed
from mtbench.store.run.folder import RunFolder
from mtbench.store.trust import REPORTED, Earned, earned_by, read_earned

__all__ = ["STATES", "TRUST", "RunStatus", "by_title", "status_of", "survey"]

STATES = ("missing", "running", "failed", "damaged", "stale", "fresh")
TRUST = ("fresh", "stale", "running", "failed", "damaged", "missing")
"""The states, the most trustworthy first: of a run that exists twice the first of them counts."""


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """A planned run and its state.

    Attributes:
        folder: the folder of the run.
        spec: the request for the run.
        state: one of `STATES`. Missing: no record and no process at work. Running: a live lease and no record. Failed:
            a failure and no record. Damaged: a record that does not match its checksum. Stale: a record, but something
            that makes numbers has changed since. Fresh: a valid record.
        why: for failed, damaged and stale runs the failure or the change, in a sentence; else empty.
        record: the record of stale and fresh runs.
        absent: the names of files that the record has a sum of and that are not in the folder, as weights in a pack.
        changed: a clause on each of these files that was changed since, as far as is found without reading large ones.
        added: True if its seed was added after a look at others, or beyond the number that its suite declares.
        earned: the findings of `mtbench store verify` on its record, made on this machine; None without.
        origin: the name of the pack that it is kept in, where a report sets it beside the reader's own runs; empty for
            the reader's own.
    """

    folder: Path
    spec: RunSpec
    state: str
    why: str
    record: Record | None
    absent: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    added: bool = False
    earned: Earned | None = None
    origin: str = ""

    @property
    def level(self) -> str:
        """The level of trust of its record, of `mtbench.store.trust.LEVELS`; empty without a record."""
        if self.record is None:
            return ""
        return REPORTED if self.earned is None or self.changed else self.earned.level


def survey(
    results: Path, root: Path, unread: Callable[[str], None] | None = None, kept: Kept | None = None
) -> list[RunStatus]:
    """Return every run below a results folder, by dataset, method, protocol and seed.

    The spec of a run is that in its record, which has a checksum; ``spec.json`` counts where there is no record.

    Args:
        results: the folder.
        root: the folder of the data files; if it is missing, data count as unchanged.
        unread: called with a sentence on each part that cannot be read and is left out, and on each spec that differs
            from its record. Without it a run that cannot be read is an error.
        kept: the states of earlier surveys; None to read every run.

    Raises:
        NewerResults: a newer mtbench made the folder; or a record in it, and there is no `unread`.
        StoreError: there is no such folder; or the spec of a run without a record cannot be read, and there is no
            `unread`.
    """
    codes = cache(code)  # each plug-in's source is read once for any number of runs
    found, earned = [], _earned(results, unread or (lambda _: None))
    for folder in run_folders(results, unread):
        try:
            read = partial(_looked_at, folder, root, codes, unread or (lambda _: None), earned)
            found.append(kept.status(folder.path, read) if kept else read())
        except StoreError as cause:
            if unread is None:
                raise
            unread(f"{cause} The run is left out.")
    return by_title(found)


def by_title(runs: Iterable[RunStatus]) -> list[RunStatus]:
    """Return runs by dataset, method, protocol and seed."""
    # The name of a folder ends with the identity, which takes longer to compute than a spec to read.
    return sorted(runs, key=lambda run: (*_titles(run.spec), run.spec.seed, run.folder.name))


def status_of(
    folder: Path, spec: RunSpec, root: Path, codes: Callable[[registry.PluginEntry], Code] = code
) -> RunStatus:
    """Return the state of the run of this spec.

    Args:
        folder: the folder of the run, existing or not.
        root: see `survey`.
        codes: a function that returns the present code of a plug-in.

    Raises:
        NewerResults: a newer mtbench wrote its record.
    """
    run = RunFolder(folder)
    record = None
    try:
        record = run.record()
        if record is not None and record.spec != spec and record.spec.id != spec.id:
            raise DamagedRecord(f"the record in {folder} is that of another run ({record.spec.folder}).")
    except NewerResults:
        raise
    except DamagedRecord as cause:
        return RunStatus(folder=folder, spec=spec, state="damaged", why=str(cause), record=None)
    if record is not None:
        changes = (each.change for each in compared(record, root, codes) if each.change)
        why = "; ".join([*_lacks_test(record, spec), *changes])
        absent, changed = absent_and_changed(folder, record)
        return RunStatus(
            folder=folder,
            spec=spec,
            state="stale" if why else "fresh",
            why=why,
            record=record,
            absent=absent,
            changed=changed,
        )
    if run.is_leased:
        return RunStatus(folder=folder, spec=spec, state="running", why="", record=None)
    if (failure := run.failure()) is not None:
        times = f" ({failure.attempt} attempts)" if failure.attempt > 1 else ""
        return RunStatus(folder=folder, spec=spec, state="failed", why=failure.message + times, record=None)
    return RunStatus(folder=folder, spec=spec, state="missing", why="", record=None)


def _looked_at(
    folder: RunFolder,
    root: Path,
    codes: Callable[[registry.PluginEntry], Code],
    unread: Callable[[str], None],
    earned: Mapping[str, Earned],
) -> RunStatus:
    """Return the state of a run by its own files, with what was found of its record; see `_surveyed`."""
    status = _surveyed(folder, root, codes, unread)
    return dataclasses.replace(status, earned=earned_by(folder.path, earned)) if earned else status


def _surveyed(
    folder: RunFolder, root: Path, codes: Callable[[registry.PluginEntry], Code], unread: Callable[[str], None]
) -> RunStatus:
    """Return the state of a run by its own files.

    Raises:
        NewerResults: a newer mtbench wrote its record.
        StoreError: neither its spec nor a record can be read.
    """
    try:
        asked = folder.spec()
    except StoreError as cause:
        record = folder.record()
        if record is None:
            raise
        unread(f"{cause.given} The spec in the record counts.")
        asked = record.spec
    status = status_of(folder.path, asked, root, codes)
    if status.state == "damaged" and (sealed := _own_record(folder)) is not None:
        unread(f"{folder.path / 'spec.json'} is of another run than the record beside it. The record counts.")
        asked = sealed.spec
        status = status_of(folder.path, asked, root, codes)
    true = with_checked_titles(asked) if status.record is None else status.record.spec
    if true.titles != asked.titles:
        unread(f"{folder.path / 'spec.json'} calls the run {_named(asked)}. It is {_named(true)}.")
        status = dataclasses.replace(status, spec=dataclasses.replace(asked, titles=true.titles))
    return status


def _earned(results: Path, unread: Callable[[str], None]) -> Mapping[str, Earned]:
    """Return the levels of trust that runs have earned; none where their file cannot be read."""
    try:
        return read_earned(results)
    except StoreError as cause:
        unread(str(cause))
        return {}


def _own_record(folder: RunFolder) -> Record | None:
    """Return the record of a run if it is whole, and the folder has its identity in its name."""
    try:
        record = folder.record()
    except DamagedRecord:
        return None
    return record if record is not None and folder.path.name.endswith(record.spec.id) else None


def _named(spec: RunSpec) -> str:
    return f"'{', '.join(_titles(spec))}'"


def _titles(spec: RunSpec) -> tuple[str, str, str]:
    return spec.titles.dataset, spec.titles.method, spec.titles.protocol


def _lacks_test(record: Record, spec: RunSpec) -> Iterator[str]:
    if record.spec.trial and not spec.trial:
        yield "it was a trial of a search, which is not evaluated on the test split"
