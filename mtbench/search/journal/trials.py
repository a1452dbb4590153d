"""A study's trials on disk, in Optuna's journal: a complete line for each event.

Only the owner of the study's lease writes. A trial is added to the journal with all its values, in one line, so that a
process that is killed leaves a whole trial or none.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.samplers import RandomSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import TypeAdapter

from mtbench.errors import StoreError
from mtbench.search.axes import Axis
from mtbench.search.journal.order import NUMBER, OUTCOME, Misplaced, check_order
from mtbench.search.proposals import Past, Proposal, directions, distributions, quiet
from mtbench.store.files.atomic import store_errors
from mtbench.store.files.guard import read_guarded
from mtbench.store.run.lease import Lease
from mtbench.store.study import JOURNAL

__all__ = ["FILE", "Journal", "JournalEntry", "Outcome"]

FILE = JOURNAL
STATES = {TrialState.RUNNING: "asked", TrialState.COMPLETE: "done", TrialState.FAIL: "failed"}
ASKED, MARKS, OPTUNA = "asked", "marks", "optuna"
"""Names of further attributes of a trial that Optuna does not have."""
NOBODY = RandomSampler(seed=0)
"""The sampler of the study in the journal, which is never asked: Optuna's default depends on its version."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a trial.

    Attributes:
        values: the metric on the validation split, by task; None if it failed.
        runs: the number of trained epochs and their seconds, by the folder of each run.
        why: the reason, if it failed.
    """

    values: Mapping[str, float] | None = None
    runs: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """A trial in the journal.

    Attributes:
        state: ``asked``, ``done`` or ``failed``.
        asked: the values by name, as on the command line.
        past: the trial as samplers see it.
        outcome: the outcome of a finished trial.
        optuna: the version of Optuna that proposed it; empty in journals before it was stored.
    """

    number: int
    state: str
    asked: Mapping[str, str]
    past: Past
    outcome: Outcome
    optuna: str = ""


class Journal:
    """The trials of a study whose folder this process has leased.

    Args:
        name: the name of the study.
        higher: the direction of each objective.
        size: the number of trials of a round.

    Attributes:
        lines: the lines of each trial that was there when the journal was opened.

    Raises:
        StoreError: it cannot be read or written, or its lines are not those that searches write.
        Busy: something is written, and another process has taken the study over.
    """

    def __init__(
        self, folder: Path, lease: Lease, *, name: str, axes: Sequence[Axis], higher: Sequence[bool], size: int
    ) -> None:
        self._path = path = folder / FILE
        self._distributions = distributions(axes)
        with store_errors(path), quiet():
            _cut_torn_line(path)
            try:
                text = read_guarded(path) if path.exists() else b""
                self.lines = check_order(text, name=name, directions=directions(higher), size=size)
                self._storage = JournalStorage(JournalFileBackend(str(path), lock_obj=_LeaseLock(path, lease)))
                if name in {study.study_name for study in self._storage.get_all_studies()}:
                    self._study = optuna.load_study(storage=self._storage, study_name=name, sampler=NOBODY)
                else:
                    self._study = optuna.create_study(
                        storage=self._storage, study_name=name, directions=directions(higher), sampler=NOBODY
                    )
            except Misplaced as cause:
                raise self.unreadable(str(cause)) from None
            except _UNREADABLE as cause:
                raise self.unreadable(_short(cause)) from cause
            self._check_entries()

    def entries(self) -> list[JournalEntry]:
        """Return the trials, in the order of their numbers."""
        return [_entry(trial) for trial in self._study.get_trials(deepcopy=False)]

    def _check_entries(self) -> None:
        for trial, lines in zip(self._study.get_trials(deepcopy=False), self.lines, strict=True):
            try:
                _entry(trial)
            except _UNREADABLE as cause:
                why = f"trial {trial.number} lacks something or has another type, {_short(cause)}"
                raise self.unreadable(why, line=lines.outcome or lines.proposed) from cause

    def unreadable(self, why: str, *, line: int = 0) -> StoreError:
        """Return the error for a journal that something else has written to.

        Args:
            line: the number of the line, from 1; 0 if it is not known.
        """
        place = f"line {line}: " if line else ""
        return StoreError(
            f"the journal {self._path} cannot be read ({place}{why}).",
            mend="Delete its folder and run the command again: finished runs are not repeated.",
        )

    def add(self, proposal: Proposal, asked: Mapping[str, str]) -> None:
        """Store a trial that is to be run."""
        inside, number = proposal.point is not None, len(self._study.get_trials(deepcopy=False))
        trial = create_trial(
            state=TrialState.RUNNING,
            params=dict(proposal.point or {}),
            distributions=self._distributions if inside else {},
            user_attrs={
                NUMBER: number,
                ASKED: dict(asked),
                MARKS: dict(proposal.marks),
                OPTUNA: optuna.__version__,
            },
            system_attrs=dict(proposal.marks),
        )
        with store_errors(self._path), quiet():
            self._study.add_trial(trial)

    def tell(self, number: int, outcome: Outcome, values: Sequence[float] | None) -> None:
        """Store the outcome of a trial; `values`, of the objectives, is None if it failed."""
        study = self._storage.get_study_id_from_name(self._study.study_name)
        trial = self._storage.get_trial_id_from_study_id_trial_number(study, number)
        stored = {
            "values": None if outcome.values is None else dict(outcome.values),
            "runs": {run: list(spent) for run, spent in outcome.runs.items()},
            "why": outcome.why,
        }
        with store_errors(self._path), quiet():
            # The outcome first: a finished trial has one.
            self._storage.set_trial_user_attr(trial, OUTCOME, stored)
            if values is None:
                self._study.tell(number, state=TrialState.FAIL)
            else:
                self._study.tell(number, list(values))


class _LeaseLock(JournalFileOpenLock):
    """A lock without a file: the owner of the study's lease may write, a process that has lost it may not."""

    def __init__(self, path: Path, lease: Lease) -> None:
        super().__init__(str(path))
        self.lease = lease

    def acquire(self) -> bool:
        self.lease.check()
        return True

    def release(self) -> None:
        pass


def _cut_torn_line(path: Path) -> None:
    """Remove an incomplete last line, as after a power failure; the next line would be appended to it."""
    with suppress(FileNotFoundError):
        whole = path.read_bytes().rpartition(b"\n")
        if whole[2]:
            with path.open("r+b") as file:
                file.truncate(len(whole[0]) + len(whole[1]))
                file.flush()
                os.fsync(file.fileno())


def _entry(trial: FrozenTrial) -> JournalEntry:
    attributes: dict[str, Any] = trial.user_attrs
    outcome = attributes[OUTCOME] if trial.state.is_finished() else {}
    point = dict(trial.params) if trial.params else None
    return JournalEntry(
        number=trial.number,
        state=STATES[trial.state],
        asked=_ASKED.validate_python(attributes[ASKED]),
        past=Past(
            number=trial.number,
            proposal=Proposal(point=point, marks=attributes[MARKS]),
            values=None if trial.values is None else [float(value) for value in trial.values],
        ),
        outcome=_OUTCOME.validate_python(outcome),
        optuna=attributes.get(OPTUNA, ""),
    )


def _short(cause: Exception) -> str:
    """Return an error in one line."""
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"


_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, OverflowError)
"""Errors that altered values cause in Optuna and here."""
_ASKED = TypeAdapter(Mapping[str, str])
_OUTCOME = TypeAdapter(Outcome)
