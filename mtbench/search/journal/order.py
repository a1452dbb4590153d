"""The order of the lines of a study's journal, which Optuna does not check: it ignores a line that does not fit.

A journal is the beginning of the study, and then, round after round, a line for each proposed trial and two for each
finished one: its outcome and its state. A process that is killed leaves some first part of these lines, and an outcome
without a state is stored once more. A journal with lines in another order, or without some of them, has been altered.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import TrialState

__all__ = ["NUMBER", "OUTCOME", "Misplaced", "TrialLines", "check_order"]

OUTCOME, NUMBER = "outcome", "number"
"""Names of attributes of a trial; journals of earlier versions have no number."""
BEGIN, PROPOSE, FINISH, OUTCOMES = 0, 4, 6, 8
"""Codes of Optuna's journal for the lines that a search writes."""


class Misplaced(ValueError):
    """A line does not follow from those before it; the text names it and gives the reason."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")


@dataclass(kw_only=True)
class TrialLines:
    """The lines of a trial, counted from 1; 0 for one that is not there yet."""

    proposed: int
    outcome: int = 0
    state: int = 0


@dataclass(kw_only=True)
class _Order:
    """The lines so far.

    Attributes:
        size: the number of trials of a round.
        trials: the lines of each trial, by its number.
        finished: the number of finished trials, which are the first ones.
        failed: True if the last outcome has no values.
    """

    size: int
    trials: list[TrialLines] = field(default_factory=list)
    finished: int = 0
    failed: bool = False

    def propose(self, at: int, line: Mapping[str, Any]) -> None:
        number = len(self.trials)
        if line["study_id"] != 0 or line["state"] != TrialState.RUNNING:
            raise Misplaced(at, f"trial {number} is proposed in a state or a study that no search gives it")
        if (stored := line["user_attrs"].get(NUMBER, number)) != number:
            raise Misplaced(at, f"trial {stored} stands where trial {number} belongs")
        if self.finished < number - number % self.size:
            raise Misplaced(
                at, f"trial {number} is proposed before trial {self.finished}, of an earlier round, is finished"
            )
        self.trials.append(TrialLines(proposed=at))

    def store(self, at: int, line: Mapping[str, Any]) -> None:
        trial = self._next(at, line)
        if line["user_attr"].keys() != {OUTCOME}:
            raise Misplaced(at, f"trial {self.finished} has something else than an outcome")
        trial.outcome, self.failed = at, line["user_attr"][OUTCOME]["values"] is None

    def finish(self, at: int, line: Mapping[str, Any]) -> None:
        trial = self._next(at, line)
        if trial.outcome != at - 1:
            raise Misplaced(at, f"trial {self.finished} is finished without an outcome in the line before")
        state = TrialState.FAIL if self.failed else TrialState.COMPLETE
        if line["state"] != state or (line["values"] is None) != self.failed:
            raise Misplaced(at, f"trial {self.finished} has another state than its outcome in the line before")
        trial.state = at
        self.finished += 1

    def _next(self, at: int, line: Mapping[str, Any]) -> TrialLines:
        """Return the trial whose outcome or state comes next, which the line must be about."""
        number = line["trial_id"]
        if not isinstance(number, int) or not 0 <= number < len(self.trials):
            raise Misplaced(at, f"trial {number} has not been proposed before")
        if number < self.finished:
            raise Misplaced(at, f"trial {number} is finished already in line {self.trials[number].state}")
        if number > self.finished:
            raise Misplaced(at, f"trial {number} is finished before trial {self.finished}")
        return self.trials[number]


def check_order(text: bytes, *, name: str, directions: Sequence[int], size: int) -> list[TrialLines]:
    """Return the lines of each trial of a journal.

    Args:
        text: the whole lines of the journal; none if it does not exist yet.
        name: the name of the study.
        directions: Optuna's codes of the directions of its objectives.
        size: the number of trials of a round.

    Raises:
        Misplaced: a line is doubled, does not follow from those before it, or is not of a journal.
    """
    order, seen = _Order(size=size), dict[bytes, int]()
    readers = {PROPOSE: order.propose, OUTCOMES: order.store, FINISH: order.finish}
    for at, raw in enumerate(text.split(b"\n")[:-1], 1):
        if (first := seen.setdefault(raw, at)) != at:
            raise Misplaced(at, f"it is line {first} once more")
        try:
            line = json.loads(raw)
            code = line["op_code"]
            if at > 1:
                if code not in readers:
                    raise Misplaced(at, "no search writes such a line there")
                readers[code](at, line)
            elif code != BEGIN:
                raise Misplaced(at, "the beginning of the search is missing")
            elif (line["study_name"], line["directions"]) != (name, list(directions)):
                raise Misplaced(at, "it begins another search")
        except _UNREADABLE as cause:
            raise Misplaced(at, f"it is not a line of a journal ({type(cause).__name__}: {cause})") from cause
    return order.trials


_UNREADABLE = (json.JSONDecodeError, UnicodeDecodeError, LookupError, TypeError, AttributeError)
