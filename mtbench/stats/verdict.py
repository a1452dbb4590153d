"""One word for a comparison, each with a definition, and a sentence with the numbers behind it.

Let the goodness of a difference be its value if higher is better, else its negative, and the margin the greatest
difference that does not matter, where one is declared:

- *better*: the 95 % interval lies above 0 in goodness, and p is below 5 % after Holm's correction.
- *better by more than the margin*: the same, and the 95 % interval lies above the margin.
- *equivalent*: the 90 % interval lies inside -margin..margin, which is two one-sided tests at 5 % (Schuirmann, J.
  Pharmacokinetics and Biopharmaceutics 15, 1987).
- *worse*, *worse by more than the margin*: mirrored.
- *undecided*: none of these.

An end of an interval that touches a bound is not beyond it. What is surely different, but surely by less than the
margin, is called equivalent: the margin says that such a difference does not matter, and the sentence says that it is
there.

Intervals are of each comparison by itself; of the words, better and worse are corrected for the number of comparisons:
if no method differs, the chance that any of a family is called better or worse is at most 5 %. By how much, and
equivalence, are of each comparison by itself.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mtbench.stats.contrast import LEVEL, Contrast
from mtbench.stats.power import runs_needed, runs_to_equivalence
from mtbench.stats.summary import Interval

__all__ = ["Verdict", "Word", "judge"]

Word: TypeAlias = Literal[
    "better by more than the margin", "better", "equivalent", "worse", "worse by more than the margin", "undecided"
]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What may be said of a first method against a second.

    Attributes:
        word: as this module defines them.
        sentence: the word with its numbers, in the metric's unit, without a full stop.
        runs: if undecided, how many pairs (unpaired: runs of each) a new plan needs that would decide it with 80 %
            probability, if the difference is what it seems; None if decided, or if no plan of 1000 would.
    """

    word: Word
    sentence: str
    runs: int | None


def judge(contrast: Contrast, *, margin: float | None, adjusted: float, higher_is_better: bool) -> Verdict:
    """The verdict on the first method of a contrast.

    Args:
        contrast: first minus second.
        margin: the greatest difference that does not matter, in the metric's unit; None if none is declared, and then
            nothing is called equivalent.
        adjusted: the contrast's p after Holm's correction over all comparisons that are shown together.
        higher_is_better: the good direction.

    Raises:
        ValueError: if the margin is not above 0.
    """
    if margin is not None and not margin > 0:
        raise ValueError(f"a margin is above 0, not {margin}")
    wide, narrow = contrast.interval(0.95), contrast.interval(0.90)
    if wide is None or narrow is None:
        return Verdict(word="undecided", sentence=_without_spread(contrast), runs=None)
    word = _word(wide if higher_is_better else (-wide[1], -wide[0]), narrow, margin, adjusted)
    if word != "undecided":
        return Verdict(word=word, sentence=_decided(word, contrast, wide, narrow, margin, adjusted), runs=None)
    runs = _plan(contrast, margin, adjusted)
    return Verdict(word=word, sentence=_undecided(contrast, wide, adjusted, runs), runs=runs)


def _word(goodness: Interval, narrow: Interval, margin: float | None, adjusted: float) -> Word:
    low, high = goodness
    if margin is not None and -margin < narrow[0] and narrow[1] < margin:
        return "equivalent"
    if not adjusted < LEVEL or low <= 0 <= high:
        return "undecided"
    if low > 0:
        return "better by more than the margin" if margin is not None and low > margin else "better"
    return "worse by more than the margin" if margin is not None and high < -margin else "worse"


def _plan(contrast: Contrast, margin: float | None, adjusted: float) -> int | None:
    """The smaller of the plans that would show a difference, and that it does not matter.

    The first bears the correction that this comparison bore: adjusted / p times.
    """
    level = LEVEL * contrast.p / adjusted if 0 < contrast.p <= adjusted else LEVEL
    plans = [runs_needed(contrast.difference, contrast.std, level=level)]
    if margin is not None:
        plans.append(runs_to_equivalence(contrast.difference, contrast.std, margin=margin))
    return min((plan for plan in plans if plan is not None), default=None)


def _decided(
    word: Word, contrast: Contrast, wide: Interval, narrow: Interval, margin: float | None, adjusted: float
) -> str:
    digits = _digits(wide)
    if word != "equivalent":
        beyond = f", margin {margin:g}" if margin is not None else ""
        return f"{word}: {_measured(contrast, wide, digits)}{beyond}, {_corrected(adjusted)}"
    there = f"; it is there all the same, {_corrected(adjusted)}" if adjusted < LEVEL else ""
    return (
        f"{word}: difference {contrast.difference:+z.{digits}f}, 90 % interval {narrow[0]:+z.{digits}f} to "
        f"{narrow[1]:+z.{digits}f} within a margin of {margin:g}{there}"
    )


def _undecided(contrast: Contrast, wide: Interval, adjusted: float, runs: int | None) -> str:
    digits = _digits(wide)
    unit = "new pairs" if contrast.matched else "new runs of each"
    plan = (
        f"if {contrast.difference:+z.{digits}f} is true, {runs} {unit} would tell (80 % power)"
        if runs is not None
        else f"no plan of up to 1000 {unit} would tell"
    )
    return f"undecided: {_measured(contrast, wide, digits)}, {_corrected(adjusted)}; {plan}"


def _without_spread(contrast: Contrast) -> str:
    if math.isnan(contrast.difference):
        return "undecided: nothing to compare"
    number = f"{contrast.n} pair" if contrast.matched else f"{contrast.runs[0]} and {contrast.runs[1]} run"
    plural = "" if contrast.matched and contrast.n == 1 else "s"
    why = "too few to know their spread" if contrast.std is None else "which do not vary, so that chance is unmeasured"
    return f"undecided: difference {contrast.difference:+.4g} in {number}{plural}, {why}"


def _measured(contrast: Contrast, wide: Interval, digits: int) -> str:
    low, high = wide
    return f"difference {contrast.difference:+z.{digits}f}, 95 % interval {low:+z.{digits}f} to {high:+z.{digits}f}"


def _corrected(adjusted: float) -> str:
    """The p in words; one that is rounded to 0 is said to be below what is printed."""
    return f"p {'< 0.0001' if adjusted < 1e-4 else f'= {adjusted:.2g}'} after Holm's correction"


def _digits(interval: Interval) -> int:
    """Decimals that show two figures of the interval's half-width."""
    half = (interval[1] - interval[0]) / 2
    return min(max(0, 1 - math.floor(math.log10(half))), 9)
