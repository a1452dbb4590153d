"""The plain form of a network: the layers one after the other, as its formulas have them.

A network may compute the same numbers faster in another way: it may put the channels of several layers beside each
other, or do once what several tasks need. Operations are counted on the plain form, so that a faster way of computing a
method does not change what the method costs in the tables.
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
    """Return whether networks are to compute in their plain form; one that has a faster form asks in each pass."""
    return _PLAIN.get()
