"""A suite's claims, judged: what was claimed, what the paper's own numbers say of it, and what the runs say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mtbench.plan.suite import AcrossClaim, Claim
from mtbench.report import marks
from mtbench.report.data.convergence import BOUND
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.data.suite.tuned import judged_runs
from mtbench.report.exhibits.claims.across import across
from mtbench.report.exhibits.claims.evidence import Evidence
from mtbench.report.exhibits.claims.within import within
from mtbench.report.text import listed, signed
from mtbench.stats.verdict import Adjusted, Verdict, adjust, judge

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
    """

    claim: Claim | AcrossClaim
    adjusted: Adjusted
    verdict: Verdict

    @property
    def name(self) -> str:
        """The contrast in words; † where runs are stale, ‡ where they have unlike numerics."""
        return self.words + marks.STALE * self.stale + marks.UNLIKE * self.mixed

    @property
    def holds(self) -> str:
        """The answer to whether the verdict bears the claim out: ``yes``, ``no`` or ``open``.

        What is better or worse, but not surely by more than the margin, may yet be equivalent. A claim on methods that
        are not converged is open.
        """
        word, direction = self.verdict.word, self.claim.direction
        if word in ("undecided", "not converged") or (direction == "equivalent" and word in ("better", "worse")):
            return "open"
        return "yes" if word.startswith(direction) else "no"


def judge_claims(runs: SuiteRuns, root: Path) -> list[Judged]:
    """Return every claim of a suite, judged on its runs of one size; claims of one family are corrected together.

    Where the suite judges tuned runs, it is on those with tuned settings.

    Args:
        root: the folder of the data files.
    """
    claims, runs = runs.suite.claim, judged_runs(runs)
    evidence = [
        across(runs, claim) if isinstance(claim, AcrossClaim) else within(runs, claim, root) for claim in claims
    ]
    adjusted: dict[int, Adjusted] = {}
    for family in {claim.family for claim in claims}:
        members = [index for index, claim in enumerate(claims) if claim.family == family]
        found = adjust([evidence[i].ours for i in members], [claims[i].margin or None for i in members])
        adjusted.update(zip(members, found, strict=True))
    return [
        Judged(**vars(each), claim=claim, adjusted=adjusted[index], verdict=_verdict(claim, each, adjusted[index]))
        for index, (claim, each) in enumerate(zip(claims, evidence, strict=True))
    ]


def _verdict(claim: Claim | AcrossClaim, evidence: Evidence, adjusted: Adjusted) -> Verdict:
    if evidence.refused:
        return Verdict(word="undecided", sentence=f"undecided: {evidence.refused}", runs=None)
    if evidence.unlearned:
        return UNLEARNED
    margin, higher = claim.margin or None, evidence.higher_is_better
    verdict = judge(evidence.ours, margin=margin, adjusted=adjusted, higher_is_better=higher)
    if not evidence.gaining or verdict.word == "undecided":
        return verdict
    return Verdict(word="not converged", sentence=_unconverged(evidence.gaining, claim.margin, verdict), runs=None)


def _unconverged(gaining: Mapping[str, float], margin: float, verdict: Verdict) -> str:
    """Return a sentence that says which methods still gain, and what the verdict would be without."""
    gains = listed([f"{name} ({signed(gain)})" for name, gain in gaining.items()])
    bound = f"the margin {margin:g}" if margin else f"{BOUND:g}"
    still = f"in the last tenth of training more than {bound} is gained by {gains}"
    return f"not converged: {still}; else {verdict.sentence.replace(': ', ', ', 1)}"
