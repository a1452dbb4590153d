"""A suite's claims over the looks of its plan: the evidence at each look, and the verdict at the look that decides."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from mtbench.plan.suite import AnyClaim, Claim
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.data.suite.seeds import first_seeds
from mtbench.report.exhibits.claims.across import across
from mtbench.report.exhibits.claims.evidence import Evidence
from mtbench.report.exhibits.claims.within import within
from mtbench.report.text import decimals, p_value, signed, span
from mtbench.stats.contrast import Contrast
from mtbench.stats.sequential.course import Course, Hypothesis, Step, follow
from mtbench.stats.sequential.rule import Rule
from mtbench.stats.verdict import Verdict

__all__ = ["evidence_of", "follow_claims", "looks_verdict", "seeds_judged"]


def evidence_of(runs: SuiteRuns, claim: AnyClaim, root: Path | None) -> Evidence:
    """Return the evidence that a claim rests on.

    Args:
        root: the folder of the data files; None to leave the spread over test images out.
    """
    return within(runs, claim, root) if isinstance(claim, Claim) else across(runs, claim)


def follow_claims(runs: SuiteRuns, looks: Sequence[int], upto: int | None = None) -> list[Course]:
    """Judge the claims of a suite look by look.

    Args:
        runs: the runs of one size, with seeds of all looks so far; other seeds are left out.
        looks: number of seeds at each look.
        upto: the last look to judge, by its place from 0; None for all.
    """
    claims = runs.suite.claim
    families = [claim.family for claim in claims]
    rule = Rule(looks=tuple(looks), claims=max(families.count(family) for family in families))
    seen = cache(lambda look: first_seeds(runs, looks[look]))

    @cache
    def evidence(look: int, index: int) -> Evidence:
        return evidence_of(seen(look), claims[index], None)

    def contrasts(look: int, waiting: Sequence[int]) -> Mapping[int, Contrast]:
        if upto is not None and look > upto:
            return {}
        found = {index: evidence(look, index).ours for index in waiting}
        return {index: each for index, each in found.items() if min(each.runs) == looks[look]}

    hypotheses = [
        Hypothesis(direction=each.direction, margin=each.margin or None, family=each.family) for each in claims
    ]
    higher = [evidence(0, index).higher_is_better for index in range(len(claims))]
    return follow(rule, hypotheses, higher, contrasts)


def seeds_judged(course: Course) -> int:
    """Return the number of seeds that a claim was last judged on; before its first look, that of the first look."""
    return course.rule.looks[course.last.look if course.last else 0]


def looks_verdict(claim: AnyClaim, course: Course, unit: str) -> Verdict:
    """Return the verdict on a claim at the last look at which it was judged, in words.

    Args:
        claim: the claim.
        course: its course over the looks.
        unit: the unit of its metric.
    """
    step = course.last
    if step is None:
        return Verdict(word="undecided", sentence=f"undecided: {_lacking(course)}", runs=None)
    looks = course.rule.looks
    place = f"at look {step.look + 1} of {len(looks)}" if step.decided or not course.ended else "after the last look"
    what = "estimate" if course.ended else "difference"
    digits = decimals([step.contrast.difference], unit)
    sentence = (
        f"{step.word}: {place} (n = {looks[step.look]}) {what} {signed(course.estimate, digits)}, "
        f"{_interval(step, claim.margin, digits)}"
    )
    if not course.ended:
        sentence += f"; {_lacking(course)}"
    return Verdict(word=step.word, sentence=sentence, runs=None)


def _interval(step: Step, margin: float, digits: int) -> str:
    """Return the repeated interval that a verdict rests on, and its p."""
    if step.wide is None or step.narrow is None:
        return "without a spread"
    if step.word == "equivalent":
        inside = f"repeated 90 % interval {span(step.narrow, digits)} within a margin of {margin:g}"
        return f"{inside}, {_p(step.adjusted.equivalence)}"
    beyond = f", margin {margin:g}" if margin else ""
    if "margin" in step.word:
        beyond += f" (a difference within it: {_p(step.adjusted.beyond)})"
    wide = "unbounded" if math.isinf(step.wide[1]) else span(step.wide, digits)
    return f"repeated 95 % interval {wide}{beyond}, {_p(step.adjusted.difference)}"


def _p(adjusted: float) -> str:
    said = p_value(adjusted)
    return f"sequential p {said if said[0] == '<' else f'= {said}'} after Holm's correction"


def _lacking(course: Course) -> str:
    """Return which look is next, and that runs of it lack."""
    looks, look = course.rule.looks, len(course.steps)
    return f"look {look + 1} of {len(looks)} (n = {looks[look]}) is not judged, since runs of it lack"
