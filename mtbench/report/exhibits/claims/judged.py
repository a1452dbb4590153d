"""A suite's claims, judged: what was claimed, what the paper's own numbers say of it, and what the runs say."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mtbench.plan.suite import AnyClaim
from mtbench.report import marks
from mtbench.report.data.convergence import BOUND
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.data.suite.seeds import first_seeds
from mtbench.report.data.suite.tuned import judged_runs
from mtbench.report.exhibits.claims.evidence import Evidence
from mtbench.report.exhibits.claims.looks import evidence_of, follow_claims, looks_verdict, seeds_judged
from mtbench.report.text import listed, signed
from mtbench.stats.sequential.course import Course
from mtbench.stats.verdict import Adjusted, Answer, Verdict, adjust, answer, judge

__all__ = ["UNLEARNED", "Judged", "judge_claims"]

UNLEARNED = Verdict(
    word="undecided",
    sentence="undecided: neither side is above the best constant prediction",
    runs=None,
)
"""The verdict where nothing that is compared is above the constant prediction, however it differs."""


@dataclass(frozen=True, kw_only=True)
class Judged(Evidence):
    """A claim, what it rests on, and what became of it.

    Attributes:
        adjusted: its p-values after Holm's correction over the claims of its family.
        verdict: on the contrast.
        course: its course over the looks of the suite's plan; None if the number of seeds was fixed.
    """

    claim: AnyClaim
    adjusted: Adjusted
    verdict: Verdict
    course: Course | None = None

    @property
    def name(self) -> str:
        """The contrast in words, with its marks."""
        return self.words + self.marks

    @property
    def marks(self) -> str:
        """† where runs are stale, ‡ where they have unlike numerics, and the mark of seeds that were added after a
        look."""
        return marks.STALE * self.stale + marks.UNLIKE * self.mixed + marks.GROWN * self.grown

    @property
    def holds(self) -> Answer:
        """The answer to whether the verdict confirms the claim; a claim on methods that are not converged is open."""
        return answer(self.verdict.word, self.claim.direction)


def judge_claims(runs: SuiteRuns, root: Path) -> list[Judged]:
    """Return every claim of a suite, judged on its runs of one size; claims of one family are corrected together.

    Where the suite judges tuned runs, it is on those with tuned settings.

    Args:
        root: the folder of the data files.
    """
    claims, runs = runs.suite.claim, judged_runs(runs)
    if runs.looks and claims:
        return _over_looks(runs, runs.looks.looks)
    evidence = [evidence_of(runs, claim, root) for claim in claims]
    adjusted: dict[int, Adjusted] = {}
    for family in {claim.family for claim in claims}:
        members = [index for index, claim in enumerate(claims) if claim.family == family]
        found = adjust([evidence[i].ours for i in members], [claims[i].margin or None for i in members])
        adjusted.update(zip(members, found, strict=True))
    return [
        Judged(**vars(each), claim=claim, adjusted=adjusted[index], verdict=_verdict(claim, each, adjusted[index]))
        for index, (claim, each) in enumerate(zip(claims, evidence, strict=True))
    ]


def _over_looks(runs: SuiteRuns, looks: Sequence[int]) -> list[Judged]:
    """Return every claim, judged on the seeds of the look that decided it, or of the last look so far."""
    found = []
    for claim, course in zip(runs.suite.claim, follow_claims(runs, looks), strict=True):
        count = seeds_judged(course)
        evidence = replace(evidence_of(first_seeds(runs, count), claim, None), planned=count)
        found.append(
            Judged(
                **vars(evidence),
                claim=claim,
                adjusted=course.last.adjusted if course.last else Adjusted(difference=math.nan),
                verdict=_converged(claim, evidence, looks_verdict(claim, course, evidence.unit)),
                course=course,
            )
        )
    return found


def _verdict(claim: AnyClaim, evidence: Evidence, adjusted: Adjusted) -> Verdict:
    margin, higher = claim.margin or None, evidence.higher_is_better
    return _converged(claim, evidence, judge(evidence.ours, margin=margin, adjusted=adjusted, higher_is_better=higher))


def _converged(claim: AnyClaim, evidence: Evidence, verdict: Verdict) -> Verdict:
    """Return a verdict, unless the methods have learned nothing or are not converged."""
    if evidence.refused:
        return Verdict(word="undecided", sentence=f"undecided: {evidence.refused}", runs=None)
    if evidence.unlearned:
        return UNLEARNED
    if not evidence.gaining or verdict.word == "undecided":
        return verdict
    return Verdict(
        word="not converged",
        sentence=_unconverged(evidence.gaining, claim.metric_margin, verdict),
        runs=None,
    )


def _unconverged(gaining: Mapping[str, float], margin: float, verdict: Verdict) -> str:
    """Return a sentence that says which methods still gain, and what the verdict would be without."""
    gains = listed([f"{name} ({signed(gain)})" for name, gain in gaining.items()])
    bound = f"the margin {margin:g}" if margin else f"{BOUND:g}"
    still = f"in the last tenth of training more than {bound} is gained by {gains}"
    return f"not converged: {still}; else {verdict.sentence.replace(': ', ', ', 1)}"
