"""Durations as people write them: ``90s``, ``30min``, ``6h``, ``1d 12h``, or as Slurm does, ``1-12:00:00``."""

import re

from mtbench.contract.options.limits import shown
from mtbench.errors import UsageError

__all__ = ["UNITS", "parse_duration"]

UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
"""Seconds by the unit that a duration is written in."""
MOST = 10_000 * UNITS["d"]
"""Seconds of the longest duration that is read: 27 years, since a longer one is a mistake."""

_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(s|sec|min|m|h|d)(?![a-z])", re.IGNORECASE)
_CLOCK = re.compile(r"(?:([0-9]+)-)?([0-9]+):([0-5][0-9]):([0-5][0-9])")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_SHORT = {"sec": "s", "m": "min"}


def parse_duration(text: str, *, subject: str = "a duration", unit: str = "", low: float = 0.0) -> float:
    """Return the seconds of a duration.

    It is numbers with units, the largest first, as in ``1h 30min``; or ``[days-]hours:minutes:seconds``.

    Args:
        text: the duration.
        subject: the option that it was given for, as messages name it.
        unit: the unit of a number without one; by default such a number is refused unless it is 0, since Slurm takes
            it for minutes and most others for seconds.
        low: the smallest number of seconds allowed.

    Raises:
        UsageError: the text is not of that form, or is a shorter or a longer duration than is allowed.
    """
    seconds = _seconds(text.strip(), unit)
    if seconds is None:
        raise UsageError(
            f"{subject} is '{shown(text)}'.", mend="Write a number and its unit, as in 90s, 30min, 6h, 2d or 1h30min."
        )
    if not low <= seconds <= MOST:
        raise UsageError(f"{subject} is '{shown(text)}'.", allowed=f"Allowed: {low:g} s to {MOST // UNITS['d']} d.")
    return seconds


def _seconds(text: str, unit: str) -> float | None:
    if clock := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number * UNITS[unit] if unit else 0.0 if number == 0 else None
    total, largest, end = 0.0, float("inf"), 0
    while end < len(text):
        if not (part := _PART.match(text, end)):
            return None
        name = part[2].lower()
        size = UNITS[_SHORT.get(name, name)]
        if size >= largest:
            return None
        total, largest, end = total + float(part[1]) * size, size, part.end()
    return total if end else None
