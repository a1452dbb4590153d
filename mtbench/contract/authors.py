"""The place in a plug-in author's file that a message is about."""

import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["author_of", "place_of", "place_of_caller"]

BETWEEN = ("dataclasses", "mtbench.contract.losses")
"""Modules that lie between an author's line and the place that finds fault with it."""


def author_of(owner: object, names: Sequence[str]) -> str:
    """Return the first of some methods that the class of an object has, and not from the contract; else the last."""
    written = (name for name in names if not _module(owner, name).startswith("mtbench.contract"))
    return next(written, names[-1])


def place_of(owner: object, name: str) -> str:
    """Return the file and line at which the class of an object defines a method, as a sentence; empty if unknown."""
    code = getattr(_function(owner, name), "__code__", None)
    return "" if code is None else _sentence(code.co_filename, code.co_firstlineno)


def place_of_caller() -> str:
    """Return the file and line that made the data class which is validated, as a sentence; empty if that is the
    harness."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in BETWEEN:
        frame = frame.f_back
    if str(frame.f_globals.get("__name__")).partition(".")[0] == "mtbench":
        return ""
    return _sentence(frame.f_code.co_filename, frame.f_lineno)


def _function(owner: object, name: str) -> object:
    found = getattr(type(owner), name, None)
    return getattr(found, "fget", found)  # of a property its function


def _module(owner: object, name: str) -> str:
    return str(getattr(_function(owner, name), "__module__", "mtbench.contract"))


def _sentence(file: str, line: int) -> str:
    path, here = Path(file), Path.cwd()
    return f"In {path.relative_to(here) if here in path.parents else path}:{line}."
