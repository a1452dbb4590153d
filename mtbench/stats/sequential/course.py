"""Claims over the looks of a plan: each is judged at each look until it is decided.

A claim is decided at the first look at which its verdict is *yes* or *no* (`mtbench.stats.verdict.answer`), and is not
judged later. At each look a claim has the words of `mtbench.stats.verdict`, with repeated confidence intervals in place
of intervals, and the smallest sequential p-value so far in place of p, after Holm's correction over all claims of its
family. So the probability that any claim of a family is falsely called better or worse at any look is at most 5 % (for
t statistics about 5 %, see `mtbench.stats.sequential.rule`), and the same holds for *by more than the margin* and for
*equivalent*, whose p is that of two one-sided tests.

A claim that is not judged yet counts in Holm's correction with a p of 1.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mtbench.stats.contrast import LEVEL, Contrast, holm
from mtbench.stats.sequential.estimate import median_unbiased
from mtbench.stats.sequential.rule import Rule
from mtbench.stats.summary import Interval
from mtbench.stats.verdict import Adjusted, Word, answer, beyond_p, equivalence_p, word_of

__all__ = ["Course", "Hypothesis", "Step", "follow"]


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A claim as the rule needs it.

    Attributes:
        direction: ``better``, ``worse`` or ``equivalent``.
        margin: the largest difference that does not matter; None if none is declared.
        family: the name of the claims that are corrected together.
    """

    direction: str
    margin: float | None
    family: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """A claim at a look.

    Attributes:
        look: the place of the look, from 0.
        contrast: the contrast of the seeds of the look.
        least: the smallest sequential p-values so far, before Holm's correction; NaN for a test that is not made.
        adjusted: the same after Holm's correction.
        level: two-sided nominal level, with Holm's correction, at which a difference decides the claim at this look; 0
            for a claim of equivalence, which no difference from 0 decides.
        bound: the bound of abs(t) in the test of no difference; NaN without a standard error.
        wide: repeated 95 % confidence interval; None without a standard error.
        narrow: repeated 90 % confidence interval, for equivalence.
        word: the verdict.
        decided: True if the claim is decided.
    """

    look: int
    contrast: Contrast
    least: Adjusted
    adjusted: Adjusted
    level: float
    bound: float
    wide: Interval | None
    narrow: Interval | None
    word: Word
    decided: bool

    @property
    def t(self) -> float:
        """The t statistic of no difference; NaN without a standard error."""
        error = self.contrast.error
        return self.contrast.difference / error if error else math.nan


@dataclass(frozen=True, kw_only=True)
class Course:
    """A claim over the looks.

    Attributes:
        rule: the rule.
        steps: the looks at which it was judged, in order.
        lacking: the place of the look at which it cannot be judged, since runs lack; None if there is no such look.
    """

    rule: Rule
    steps: tuple[Step, ...] = ()
    lacking: int | None = None

    @property
    def last(self) -> Step | None:
        """The last look at which it was judged."""
        return self.steps[-1] if self.steps else None

    @property
    def decided(self) -> bool:
        """True if it is decided."""
        return self.last is not None and self.last.decided

    @property
    def ended(self) -> bool:
        """True if it is decided, or was judged at the last look."""
        return self.decided or len(self.steps) == len(self.rule.looks)

    @property
    def estimate(self) -> float:
        """The difference: at the end its median-unbiased estimate, before that as observed; NaN if never judged."""
        if self.last is None:
            return math.nan
        if not self.ended:
            return self.last.contrast.difference
        looks = self.rule.looks[: len(self.steps)]
        return median_unbiased(self.last.contrast, looks, [step.level for step in self.steps[:-1]])


def follow(
    rule: Rule,
    hypotheses: Sequence[Hypothesis],
    higher_is_better: Sequence[bool],
    contrasts: Callable[[int, Sequence[int]], Mapping[int, Contrast]],
) -> list[Course]:
    """Judge claims look by look, until each is decided, was judged at the last look, or lacks runs.

    Args:
        rule: the rule.
        hypotheses: (K,) the claims.
        higher_is_better: (K,) the direction of the metric of each.
        contrasts: called with the place of a look and the places of the claims that are open, and returns the contrast
            of each that has all runs of the look. A claim that lacks runs at a look is not judged at later ones.
    """
    claims = _Claims(rule, hypotheses, higher_is_better)
    waiting = list(range(len(hypotheses)))
    for look in range(len(rule.looks)):
        found = contrasts(look, waiting)
        for index in set(waiting) - found.keys():
            claims.courses[index] = replace(claims.courses[index], lacking=look)
        claims.judge(look, {index: found[index] for index in waiting if index in found})
        waiting = [index for index in waiting if index in found and not claims.courses[index].decided]
        if not waiting:
            break
    return claims.courses


@dataclass
class _Claims:
    """Claims under way."""

    rule: Rule
    hypotheses: Sequence[Hypothesis]
    higher: Sequence[bool]
    courses: list[Course] = field(init=False)

    def __post_init__(self) -> None:
        self.courses = [Course(rule=self.rule) for _ in self.hypotheses]

    def judge(self, look: int, contrasts: Mapping[int, Contrast]) -> None:
        """Judge open claims at a look, all that are in a family together."""
        least = [self._known(index) for index in range(len(self.hypotheses))]
        for index, contrast in contrasts.items():
            least[index] = self._least(look, contrast, least[index], self.hypotheses[index].margin)
        for family in {hypothesis.family for hypothesis in self.hypotheses}:
            members = [index for index, each in enumerate(self.hypotheses) if each.family == family]
            adjusted = _corrected([least[index] for index in members])
            rejected = sum(each.difference < LEVEL for each in adjusted)
            for index, corrected in zip(members, adjusted, strict=True):
                if index in contrasts:
                    others = len(members) - rejected + (corrected.difference < LEVEL)
                    step = self._step(index, look, contrasts[index], least[index], corrected, LEVEL / others)
                    course = self.courses[index]
                    self.courses[index] = replace(course, steps=(*course.steps, step))

    def _known(self, index: int) -> Adjusted:
        """Return the smallest p-values of a claim at earlier looks: 1 before the first, for tests that are made."""
        last = self.courses[index].last
        without = math.nan if self.hypotheses[index].margin is None else 1.0
        return last.least if last else Adjusted(difference=1.0, beyond=without, equivalence=without)

    def _least(self, look: int, contrast: Contrast, before: Adjusted, margin: float | None) -> Adjusted:
        equivalence = equivalence_p(contrast, margin)  # one-sided: half of a two-sided test at twice the level
        doubled = self.rule.sequential(look, 2 * equivalence if equivalence < 0.5 else 1.0)
        return Adjusted(
            difference=min(before.difference, self.rule.sequential(look, contrast.p)),
            beyond=min(before.beyond, self.rule.sequential(look, beyond_p(contrast, margin))),
            equivalence=min(before.equivalence, doubled / 2 if doubled < 1 else 1.0),
        )

    def _step(
        self, index: int, look: int, contrast: Contrast, least: Adjusted, adjusted: Adjusted, level: float
    ) -> Step:
        hypothesis, freedom = self.hypotheses[index], contrast.freedom
        wide, narrow = (self.rule.interval(look, contrast, confidence) for confidence in (0.95, 0.90))
        word: Word = "undecided"
        if wide is not None and narrow is not None:
            goodness = wide if self.higher[index] else (-wide[1], -wide[0])
            word = word_of(goodness, narrow, hypothesis.margin, adjusted)
        return Step(
            look=look,
            contrast=contrast,
            least=least,
            adjusted=adjusted,
            level=0.0 if hypothesis.direction == "equivalent" else self.rule.nominal(look, level),
            bound=math.nan if freedom is None else self.rule.bound(look, freedom, level),
            wide=wide,
            narrow=narrow,
            word=word,
            decided=answer(word, hypothesis.direction) != "open",
        )


def _corrected(least: Sequence[Adjusted]) -> list[Adjusted]:
    families = zip(
        holm([each.difference for each in least]),
        holm([each.beyond for each in least]),
        holm([each.equivalence for each in least]),
        strict=True,
    )
    return [
        Adjusted(difference=float(difference), beyond=float(beyond), equivalence=float(equivalence))
        for difference, beyond, equivalence in families
    ]
