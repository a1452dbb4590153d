"""Waiting with a deadline."""

import time
from collections.abc import Callable

__all__ = ["DEADLINE", "wait_until"]

DEADLINE = 300.0
"""Seconds after which what a test waits for will not happen any more."""


def wait_until(is_so: Callable[[], object], within: float = DEADLINE) -> None:
    """Return as soon as the condition holds; fail where it does not within so many seconds."""
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, f"after {within:g} s it is not so"
        time.sleep(0.02)
