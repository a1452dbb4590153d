"""The file ``failure.json``, which takes the place of a record."""

import json
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter

__all__ = ["ATTEMPTS", "Failure", "read_failure", "render_failure"]

ATTEMPTS = 3
"""Attempts that may be killed, or run out of memory, before the run is no longer repeated."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The reason why a run has no record.

    Attributes:
        kind: ``exception``, ``nan`` (a loss was not finite), ``negative`` (a loss was negative, for which the balancer
            is not defined), ``memory`` (memory ran out) or ``killed`` (the process died before it could report).
        message: the error, in a sentence.
        traceback: the traceback; empty if there is none.
        attempt: number of attempts that have failed, this one included.
        signal: number of the signal that killed the process, if it was killed.
    """

    kind: str
    message: str
    traceback: str
    attempt: int
    signal: int | None

    @property
    def is_retryable(self) -> bool:
        """True if the next ``mtbench run`` repeats the run by default: memory may be free by then, but a NaN recurs."""
        return self.kind in ("killed", "memory") and self.attempt < ATTEMPTS


def read_failure(text: bytes) -> Failure:
    """Read ``failure.json``.

    Raises:
        pydantic.ValidationError: the text is no failure.
    """
    return _READER.validate_json(text)


def render_failure(failure: Failure) -> str:
    """Return the text of ``failure.json``."""
    return json.dumps(asdict(failure), indent=1) + "\n"


_READER = TypeAdapter(Failure)
