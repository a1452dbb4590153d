"""One word for a comparison, each with a definition, and a sentence with its numbers.

Let the goodness of a difference be its value if higher is better, else its negative, and the margin the largest
difference that does not matter, if one is declared. Each p is after Holm's correction over the comparisons that are
shown together.

- *better*: the 95 % interval is above 0 in goodness, and the p of no difference is below 5 %.
- *better by more than the margin*: the same, the interval is above the margin, and the p of a difference that is no
  larger than the margin is below 5 %.
- *equivalent*: the 90 % interval is inside -margin..margin, and the p of a difference that is no smaller than the
  margin is below 5 %: the larger p of two one-sided tests (Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15,
  1987).
- *worse*, *worse by more than the margin*: mirrored.
- *undecided*: none of these.

*Not converged* is no word of a contrast: reports put it in the place of a decided one (see
`mtbench.report.data.convergence`).

An end of an interval that equals a bound is not beyond it. A significant difference that is significantly smaller than
the margin is called equivalent: the margin says that such a difference does not matter, and the sentence says that it
exists.

Intervals are for each comparison alone. The words are corrected for the number of comparisons: the probability that any
of a family is falsely called better or worse is at most 5 %, and so is the probability that any is falsely called *by
more than the margin*, and the probability that any is falsely called *equivalent*.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scipy.special import stdtr

from mtbench.stats.contrast import LEVEL, Contrast, holm
from mtbench.stats.power import runs_needed, runs_to_equivalence
from mtbench.stats.summary import Interval

__all__ = ["Adjusted", "Answer", "Verdict", "Word", "adjust", "answer", "beyond_p", "equivalence_p", "judge", "word_of"]

Word: TypeAlias = Literal[
    "better by more than the margin",
    "better",
    "equivalent",
    "worse",
    "worse by more than the margin",
    "undecided",
    "not converged",
]

Answer: TypeAlias = Literal["yes", "no", "open"]


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """The p-values of a comparison after Holm's correction; NaN if a test cannot be made.

    Attributes:
        difference: the p-value of no difference.
        beyond: the p-value of a difference that is no larger than the margin.
        equivalence: the p-value of a difference that is no smaller than the margin.
    """

    difference: float
    beyond: float = math.nan
    equivalence: float = math.nan


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on a first method against a second.

    Attributes:
        word: one of the words that this module defines.
        sentence: the word with its numbers, in the metric's unit, without a full stop.
        runs: if undecided, the number of pairs (unpaired: runs of each) of a new plan that decides it with 80 % power,
            if the observed difference is true; None if decided, or if no plan of up to 1000 does.
    """

    word: Word
    sentence: str
    runs: int | None


def adjust(contrasts: Sequence[Contrast], margins: Sequence[float | None]) -> list[Adjusted]:
    """Return the p-values of the comparisons that are shown together, after Holm's correction over them.

    Each of the three hypotheses is a family. A comparison without a margin cannot be called equivalent, or by more than
    the margin, and does not count in these families.

    Args:
        contrasts: (K,) the comparisons.
        margins: (K,) the largest difference that does not matter in each; None if none is declared.

    Raises:
        ValueError: a margin is not above 0.
    """
    for margin in margins:
        if margin is not None and not margin > 0:
            raise ValueError(f"a margin is above 0, not {margin}")
    pairs = list(zip(contrasts, margins, strict=True))
    families = (
        holm([contrast.p for contrast in contrasts]),
        holm([beyond_p(contrast, margin) for contrast, margin in pairs]),
        holm([equivalence_p(contrast, margin) for contrast, margin in pairs]),
    )
    return [
        Adjusted(difference=float(difference), beyond=float(beyond), equivalence=float(equivalence))
        for difference, beyond, equivalence in zip(*families, strict=True)
    ]


def beyond_p(contrast: Contrast, margin: float | None) -> float:
    """Return the p of a difference that is no larger than the margin: one-sided, doubled for the two possible signs."""
    if margin is None or contrast.error is None or contrast.freedom is None:
        return math.nan
    return min(1.0, 2 * float(stdtr(contrast.freedom, (margin - abs(contrast.difference)) / contrast.error)))


def equivalence_p(contrast: Contrast, margin: float | None) -> float:
    """Return the larger p of two one-sided tests: that the difference is <= -margin, and that it is >= margin."""
    if margin is None or contrast.error is None or contrast.freedom is None:
        return math.nan
    return float(stdtr(contrast.freedom, (abs(contrast.difference) - margin) / contrast.error))


def judge(contrast: Contrast, *, margin: float | None, adjusted: Adjusted, higher_is_better: bool) -> Verdict:
    """Return the verdict on the first method of a contrast.

    Args:
        contrast: the contrast, first minus second.
        margin: the largest difference that does not matter, in the metric's unit; None if none is declared, and then
            nothing is called equivalent.
        adjusted: its p-values, from `adjust` with the same margin.
        higher_is_better: the direction of the metric.
    """
    wide, narrow = contrast.interval(0.95), contrast.interval(0.90)
    if wide is None or narrow is None:
        return Verdict(word="undecided", sentence=_without_spread(contrast), runs=None)
    word = word_of(wide if higher_is_better else (-wide[1], -wide[0]), narrow, margin, adjusted)
    if word != "undecided":
        return Verdict(word=word, sentence=_decided(word, contrast, wide, narrow, margin, adjusted), runs=None)
    runs = _plan(contrast, margin, adjusted)
    return Verdict(word=word, sentence=_undecided(contrast, wide, narrow, margin, adjusted, runs), runs=runs)


def answer(word: Word, direction: str) -> Answer:
    """Return the answer to whether a verdict confirms a claim of ``better``, ``worse`` or ``equivalent``.

    A difference that is better or worse, but not significantly by more than the margin, may yet be equivalent.
    """
    if word in ("undecided", "not converged") or (direction == "equivalent" and word in ("better", "worse")):
        return "open"
    return "yes" if word.startswith(direction) else "no"


def word_of(goodness: Interval, narrow: Interval, margin: float | None, adjusted: Adjusted) -> Word:
    """Return the word of a comparison.

    Args:
        goodness: its 95 % interval, higher being better.
        narrow: its 90 % interval, in the metric's unit.
        margin, adjusted: see `judge`.
    """
    low, high = goodness
    if _within(narrow, margin) and adjusted.equivalence < LEVEL:
        return "equivalent"
    if not adjusted.difference < LEVEL or low <= 0 <= high:
        return "undecided"
    is_beyond = margin is not None and max(low, -high) > margin and adjusted.beyond < LEVEL
    if low > 0:
        return "better by more than the margin" if is_beyond else "better"
    return "worse by more than the margin" if is_beyond else "worse"


def _within(narrow: Interval, margin: float | None) -> bool:
    return margin is not None and -margin < narrow[0] and narrow[1] < margin


def _plan(contrast: Contrast, margin: float | None, adjusted: Adjusted) -> int | None:
    """Return the smaller of the plans that show a difference, and that show that it does not matter.

    Each uses the correction of this comparison: a factor of adjusted / p.
    """

    def level(p: float, corrected: float) -> float:
        return LEVEL * p / corrected if 0 < p <= corrected else LEVEL

    plans = [runs_needed(contrast.difference, contrast.std, level=level(contrast.p, adjusted.difference))]
    if margin is not None:
        borne = level(equivalence_p(contrast, margin), adjusted.equivalence)
        plans.append(runs_to_equivalence(contrast.difference, contrast.std, margin=margin, level=borne))
    return min((plan for plan in plans if plan is not None), default=None)


def _decided(
    word: Word, contrast: Contrast, wide: Interval, narrow: Interval, margin: float | None, adjusted: Adjusted
) -> str:
    digits = _digits(wide)
    if word != "equivalent":
        beyond = f", margin {margin:g}" if margin is not None else ""
        if "margin" in word:
            beyond += f" (a difference within it: {_p(adjusted.beyond)})"
        return f"{word}: {_measured(contrast, wide, digits)}{beyond}, {_corrected(adjusted.difference)}"
    is_there = adjusted.difference < LEVEL
    there = f"; it is there all the same, {_corrected(adjusted.difference)}" if is_there else ""
    return (
        f"{word}: difference {contrast.difference:+z.{digits}f}, {_inside(narrow, margin, digits)}, "
        f"{_corrected(adjusted.equivalence)}{there}"
    )


def _undecided(
    contrast: Contrast, wide: Interval, narrow: Interval, margin: float | None, adjusted: Adjusted, runs: int | None
) -> str:
    digits = _digits(wide)
    unit = "new pairs" if contrast.matched else "new runs of each"
    inside = (
        f"; {_inside(narrow, margin, digits)}, but {_corrected(adjusted.equivalence)}"
        if _within(narrow, margin)
        else ""
    )
    plan = (
        f"if {contrast.difference:+z.{digits}f} is true, {runs} {unit} are needed (80 % power)"
        if runs is not None
        else f"no plan of up to 1000 {unit} has 80 % power"
    )
    return f"undecided: {_measured(contrast, wide, digits)}, {_corrected(adjusted.difference)}{inside}; {plan}"


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


def _inside(narrow: Interval, margin: float | None, digits: int) -> str:
    low, high = narrow
    return f"90 % interval {low:+z.{digits}f} to {high:+z.{digits}f} within a margin of {margin:g}"


def _corrected(adjusted: float) -> str:
    return f"{_p(adjusted)} after Holm's correction"


def _p(adjusted: float) -> str:
    """Return the p in words; a p that is rounded to 0 is given as below the smallest printed number."""
    return f"p {'< 0.0001' if adjusted < 1e-4 else f'= {adjusted:.2g}'}"


def _digits(interval: Interval) -> int:
    """Return the number of decimals that show two digits of the interval's half-width."""
    half = (interval[1] - interval[0]) / 2
    return min(max(0, 1 - math.floor(math.log10(half))), 9)
