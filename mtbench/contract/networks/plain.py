"""The plain form of a network: its layers one after the other, as in its formulas.

A network may compute the same numbers faster in another way: it may put the channels of several layers beside each
other, or compute once what several tasks need. Operations are counted on the plain form, so that a faster
implementation of a method does not change its cost in the tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["is_plain", "plain_form"]

_PLAIN = ContextVar("plain", default=False)


@contextmanager
def plain_form() -> Iterator[None]:
    """Make every network compute in its plain form within the block."""
    token = _PLAIN.set(True)
    try:
        yield
    finally:
        _PLAIN.reset(token)


def is_plain() -> bool:
    """Return True if networks must compute in their plain form; a network with a faster form calls it in each pass."""
    return _PLAIN.get()
