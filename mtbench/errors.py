"""Things that can go wrong, in words for the person in front of the screen.

MtbenchError
    UsageError          a name, option, value or combination that was asked for does not exist or does not fit
    PluginError         a plug-in is broken, or two offer one name
    DataError           a data file is missing, truncated or altered, or cannot be fetched
    StoreError          results cannot be read or written
        DamagedRecord   a record does not match its own checksum
        NewerResults    the results were made by a newer mtbench
    RunError            a run cannot go on
        NonFiniteLoss   a task's loss became NaN or infinite
        NegativeLoss    a task's loss is negative, and the balancer has no meaning there
        Stopped         asked to stop before the end
        Busy            another live process is working on this run
        UnfitState      a checkpoint does not fit the run that it was made by
"""

import difflib
from collections.abc import Iterable

__all__ = [
    "Busy",
    "DamagedRecord",
    "DataError",
    "MtbenchError",
    "NegativeLoss",
    "NewerResults",
    "NonFiniteLoss",
    "PluginError",
    "RunError",
    "Stopped",
    "StoreError",
    "UnfitState",
    "UsageError",
    "did_you_mean",
    "is_out_of_memory",
    "shortlist",
]


class MtbenchError(Exception):
    """An error a person can act on. Its text has up to four parts, each a sentence of its own.

    Args:
        given: what was given or found, e.g. ``dataset 'mmnist5' is not installed.``
        mend: how to mend it, e.g. ``Did you mean 'mmnist4'?``
        allowed: what is allowed, e.g. ``Installed: mmnist2, mmnist3 (mtbench 0.1).``
        where: where it came from, e.g. a file or an option of the command line.
    """

    def __init__(self, given: str, *, mend: str = "", allowed: str = "", where: str = "") -> None:
        self.given, self.mend, self.allowed, self.where = given, mend, allowed, where
        super().__init__(" ".join(part for part in (given, mend, allowed, where) if part))


class UsageError(MtbenchError):
    """Something that was asked for does not exist or does not fit."""


class PluginError(MtbenchError):
    """A plug-in is broken, or two offer one name."""


class DataError(MtbenchError):
    """A data file is missing, truncated or altered, or cannot be fetched."""


class StoreError(MtbenchError):
    """Results cannot be read or written."""


class DamagedRecord(StoreError):
    """A record does not match its own checksum."""


class NewerResults(StoreError):
    """The results were made by a newer mtbench."""


class RunError(MtbenchError):
    """A run cannot go on."""


class NonFiniteLoss(RunError):
    """A task's loss became NaN or infinite."""


class NegativeLoss(RunError):
    """A task's loss is negative, and the balancer has no meaning there."""


class Stopped(RunError):
    """A run was asked to stop before its end; its checkpoint stays."""


class Busy(RunError):
    """Another live process is working on this run."""


class UnfitState(RunError):
    """A checkpoint does not fit the run that it was made by; training begins again, in a network built anew."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return True if memory ran out: Python's or NumPy's, or that of torch, on the CPU or the GPU.

    The causes of the error are looked at too, since a plug-in's error may be wrapped in one of the harness.
    """
    # torch has a class of its own for CUDA alone; on the CPU it is a RuntimeError, known by its text (torch 2.14).
    is_torch = isinstance(error, RuntimeError) and (
        type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    )
    if isinstance(error, MemoryError) or is_torch:
        return True
    return error.__cause__ is not None and is_out_of_memory(error.__cause__)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion for a misspelt `word`, or nothing if no known word is near it."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else ""


def shortlist(names: Iterable[str], most: int = 60) -> str:
    """Return names, separated by commas; of more than `most` the first ones, and how many there are besides."""
    names = list(names)
    rest = len(names) - most
    return ", ".join(names) if rest <= 0 else f"{', '.join(names[:most])}, and {rest:,} more"
