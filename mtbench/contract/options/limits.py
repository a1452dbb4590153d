"""Largest values of the numbers that users give, on the command line, in suites and from Python.

They lie far above every sensible value. A larger number is a mistake, and is refused before it fills the memory or
never ends.
"""

from typing import Final

from mtbench.errors import UsageError

__all__ = ["LIMITS", "check_number", "in_words", "shown"]

LIMITS: Final = {
    "batch": 1_000_000,
    "checkpoint-every": 86_400,
    "classes": 100_000,
    "epochs": 1_000_000,
    "images": 1_000_000_000,
    "jobs": 1_024,
    "option": 1_000_000,
    "page": 400,
    "runs": 1_000,
    "runs-per-device": 256,
    "sampler-seed": 2**32 - 1,
    "seconds": 3_600,
    "seed": 2**63 - 1,
    "seeds": 10_000,
    "shown": 60,
    "side": 10_000,
    "tasks": 10_000,
    "trials": 100_000,
}
"""Largest value by the name of a number.

Those whose name does not say it: ``option`` is for the whole numbers among the options of plug-ins that declare no
bound of their own; ``page`` for the images on a page of a dataset, and ``shown`` on one of a network; ``sampler-seed``
for the seed of a search, since Optuna's samplers take 32 bits; ``seed`` for the seed of a run, which tables hold in 64
bits, ``seeds`` for their number; ``side`` for channels, height and width of ``info --input``.
"""

_LETTERS = 60


def check_number(subject: str, value: float, name: str, *, low: int = 1) -> None:
    """Refuse a number outside of its bounds.

    Args:
        subject: the option or argument that it was given for.
        name: its name in `LIMITS`.
        low: the smallest value allowed.

    Raises:
        UsageError: the number is smaller or larger.
    """
    if not low <= value <= LIMITS[name]:
        raise UsageError(f"{subject} is {shown(value)}.", allowed=f"Allowed: {in_words(low, LIMITS[name])}.")


def in_words(low: float | None, high: float | None) -> str:
    """Return the allowed numbers in words: ``1 to 256``, ``at least 0``."""
    if low is None and high is None:
        return "a number"
    if high is None:
        return f"at least {_digits(low)}"
    return f"at most {_digits(high)}" if low is None else f"{_digits(low)} to {_digits(high)}"


def shown(given: object) -> str:
    """Return a text as messages quote it: a long one by its beginning and its length."""
    text = str(given)
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS // 2]}... ({len(text):,} characters)"


def _digits(value: float | None) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
