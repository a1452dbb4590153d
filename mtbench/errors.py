"""The errors of mtbench, with messages for users.

MtbenchError
    UsageError          a requested name, option, value or combination does not exist or does not fit
    PluginError         a plug-in is broken, or two offer one name
    DataError           a data file is missing, truncated or altered, or cannot be fetched
    StoreError          results cannot be read or written
        DamagedRecord   a record does not match its own checksum
        NewerResults    the results were made by a newer mtbench
    RunError            a run cannot continue
        NonFiniteLoss   a task's loss became NaN or infinite
        NegativeLoss    a task's loss is negative, and the balancer is not defined for it
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
    """An error that a user can act on. Its text has up to four parts, each a sentence.

    Args:
        given: the given or found state, e.g. ``dataset 'mmnist5' is not installed.``
        mend: the remedy, e.g. ``Did you mean 'mmnist4'?``
        allowed: the allowed values, e.g. ``Installed: mmnist2, mmnist3 (mtbench 0.1).``
        where: the source of the error, e.g. a file or an option of the command line.
    """

    def __init__(self, given: str, *, mend: str = "", allowed: str = "", where: str = "") -> None:
        self.given, self.mend, self.allowed, self.where = given, mend, allowed, where
        super().__init__(" ".join(part for part in (given, mend, allowed, where) if part))


class UsageError(MtbenchError):
    """A requested name, option, value or combination does not exist or does not fit."""


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
    """A run cannot continue."""


class NonFiniteLoss(RunError):
    """A task's loss became NaN or infinite."""


class NegativeLoss(RunError):
    """A task's loss is negative, and the balancer is not defined for it."""


class Stopped(RunError):
    """A run was asked to stop before its end; its checkpoint stays."""


class Busy(RunError):
    """Another live process is working on this run."""


class CodeChanged(RunError):
    """The code of a run is not the one that it was submitted with."""


class UnfitState(RunError):
    """A checkpoint does not fit the run that it was made by; training starts again, with a new network."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return True if memory ran out: Python's or NumPy's, or that of torch, on the CPU or the GPU.

    The causes of the error are checked too, since the harness may have wrapped a plug-in's error in one of its own.
    """
    # torch has a class for this error only for CUDA; on the CPU it is a RuntimeError, known by its text (torch 2.14).
    is_torch = isinstance(error, RuntimeError) and (
        type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    )
    if isinstance(error, MemoryError) or is_torch:
        return True
    return error.__cause__ is not None and is_out_of_memory(error.__cause__)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion for a misspelled `word`, or an empty text if no known word is near it."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"Did you mean '{near[0]}'?" if near else ""


def shortlist(names: Iterable[str], most: int = 60) -> str:
    """Return names, separated by commas; if there are more than `most`, the first ones and the number of the others."""
    names = list(names)
    rest = len(names) - most
    return ", ".join(names) if rest <= 0 else f"{', '.join(names[:most])}, and {rest:,} more"
