"""The place in a plug-in author's file that a message is about."""

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["author_of", "place_of", "place_of_caller", "place_of_error"]

BETWEEN = ("dataclasses", "mtbench.contract.balancers.losses")
"""Modules between an author's line and the check that reports its error."""
LIBRARIES = frozenset({"mtbench", "torch", "numpy", "scipy", "torchjd"})
"""Packages whose lines the author of a plug-in cannot change."""


def author_of(owner: object, names: Sequence[str]) -> str:
    """Return the first of some methods that a class defines outside of the contract; the last one if there is none.

    Args:
        owner: the class, or an instance of it.
    """
    written = (name for name in names if not _module(owner, name).startswith("mtbench.contract"))
    return next(written, names[-1])


def place_of(owner: object, name: str) -> str:
    """Return the file and line at which a class, or that of an instance, defines a method, as a sentence.

    The lines of the class are named if the method comes from the harness; the text is empty if they are unknown.
    """
    code, owner = getattr(_function(owner, name), "__code__", None), owner if isinstance(owner, type) else type(owner)
    if code is not None and (not _is_harness(_module(owner, name)) or _is_harness(owner.__module__)):
        return _sentence(code.co_filename, code.co_firstlineno)
    try:
        return _sentence(inspect.getsourcefile(owner) or "", inspect.getsourcelines(owner)[1])
    except (OSError, TypeError):  # typed at a prompt
        return ""


def place_of_caller() -> str:
    """Return the file and line that made the data class which is validated, as a sentence; empty for the harness."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in BETWEEN:
        frame = frame.f_back
    if _is_harness(str(frame.f_globals.get("__name__"))):
        return ""
    return _sentence(frame.f_code.co_filename, frame.f_lineno)


def place_of_error(error: BaseException) -> str:
    """Return the last file and line of a traceback outside of libraries, as a sentence; empty if there is none."""
    place, trace = "", error.__traceback__
    while trace is not None:
        top = str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0]
        if top not in LIBRARIES and top not in sys.stdlib_module_names:
            place = _sentence(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _function(owner: object, name: str) -> object:
    found = getattr(owner if isinstance(owner, type) else type(owner), name, None)
    return getattr(found, "fget", found)  # of a property its function


def _module(owner: object, name: str) -> str:
    return str(getattr(_function(owner, name), "__module__", "mtbench.contract"))


def _is_harness(module: str) -> bool:
    return module.partition(".")[0] == "mtbench"


def _sentence(file: str, line: int) -> str:
    path, here = Path(file), Path.cwd()
    return f"In {path.relative_to(here) if here in path.parents else path}:{line}."
