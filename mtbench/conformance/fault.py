"""The exception of a check, and the description of an error in words."""

from mtbench.contract.authors import place_of_error
from mtbench.errors import PluginError, UsageError

__all__ = ["Fault", "in_words"]

LONGEST = 300
"""Number of characters of a library's error that are shown."""


class Fault(Exception):
    """A promise that a plug-in does not keep, in a sentence."""


def in_words(error: Exception) -> str:
    """Return the error in a check in words, with the line of the plug-in's author that raised it."""
    if isinstance(error, Fault | PluginError):
        return str(error)
    if isinstance(error, UsageError):
        return f"it is refused: {error}"
    text = " ".join(str(error).split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    return f"it fails: {type(error).__name__}: {text.rstrip('.')}. {place_of_error(error)}".rstrip()
