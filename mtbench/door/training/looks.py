"""The looks that a command asks for: numbers of seeds at which claims are judged."""

from mtbench.contract.options.limits import LIMITS
from mtbench.errors import UsageError

__all__ = ["DEFAULT_LOOKS", "choose_looks", "parse_looks"]

DEFAULT_LOOKS = (3, 5, 8, 12, 20)
"""Number of seeds at each look, unless others are asked for."""


def parse_looks(text: str) -> tuple[int, ...]:
    """Return the looks in a text such as ``3,5,8,12,20``; none for an empty text.

    Raises:
        UsageError: they are not ascending numbers of seeds from 2.
    """
    words = [word.strip() for word in text.split(",")] if text else []
    looks = tuple(int(word) for word in words if word.isdecimal())
    fits = len(looks) == len(words) and list(looks) == sorted(set(looks))
    if not fits or (looks and not 2 <= looks[0] <= looks[-1] <= LIMITS["seeds"]):
        raise UsageError(
            f"--looks is '{text}'.",
            allowed=f"Allowed: ascending numbers of seeds from 2 to {LIMITS['seeds']}, with commas, as in 3,5,8,12,20.",
        )
    return looks


def choose_looks(looks: tuple[int, ...], most: int | None) -> tuple[int, ...]:
    """Return the looks of a new plan.

    Args:
        looks: the looks that were asked for; empty for the default ones.
        most: the number of seeds at the last look; None if it was not asked for.

    Raises:
        UsageError: they contradict each other.
    """
    if most is None:
        return looks or DEFAULT_LOOKS
    if looks and looks[-1] != most:
        raise UsageError(
            f"--max-seeds is {most}, and the last of the looks {', '.join(map(str, looks))} is at {looks[-1]} seeds.",
            mend="Give one of the two.",
        )
    if not 2 <= most <= LIMITS["seeds"]:
        raise UsageError(f"--max-seeds is {most}.", allowed=f"Allowed: 2 to {LIMITS['seeds']}.")
    return looks or (*(look for look in DEFAULT_LOOKS if look < most), most)
