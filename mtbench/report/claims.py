"""A suite's claims, judged: what was claimed, what the paper's own numbers say of it, and what the runs say."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mtbench.plan.suite import MEAN, Claim
from mtbench.report.answers import right_answers
from mtbench.report.caption import QUICK
from mtbench.report.layout import DASH, Layout, Page, Words
from mtbench.report.published import published_number
from mtbench.report.relative import DELTA, deltas
from mtbench.report.suite import Sheet, SuiteRuns
from mtbench.stats.contrast import Contrast, holm, paired, welch, welch_from
from mtbench.stats.resample import Resampled, accuracy_difference
from mtbench.stats.verdict import Verdict, judge

__all__ = ["Judged", "claims_frame", "claims_page", "judge_claims"]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim and what became of it.

    Attributes:
        unit: of the metric.
        planned: how many seeds were planned.
        paper: the contrast of the published numbers, by Welch; None if they lack.
        ours: the contrast of the runs.
        adjusted: its p after Holm's correction over the claims of its family.
        verdict: on the contrast.
        resampled: the spread over runs and test images that might have been; None where predictions or data lack.
    """

    claim: Claim
    unit: str
    planned: int
    paper: Contrast | None
    ours: Contrast
    adjusted: float
    verdict: Verdict
    resampled: Resampled | None

    @property
    def name(self) -> str:
        """The contrast in words."""
        first, second = self.claim.contrast
        varied = "".join(f", {name}={value}" for name, value in self.claim.set.items())
        return f"{self.claim.dataset}{varied}, {self.claim.metric}: {first} - {second}"

    @property
    def claimed(self) -> str:
        """What was claimed, in words."""
        margin = f"{self.claim.margin:g}" if self.claim.margin else ""
        if self.claim.direction == "equivalent":
            return f"within {margin}"
        return f"{self.claim.direction} by {margin}" if margin else self.claim.direction

    @property
    def holds(self) -> str:
        """Whether the verdict bears the claim out: ``yes``, ``no`` or ``undecided``."""
        word = self.verdict.word
        if word == "undecided":
            return word
        return "yes" if word.startswith(self.claim.direction) else "no"


def judge_claims(runs: SuiteRuns, root: Path) -> list[Judged]:
    """Every claim of a suite, judged on its runs of one size; claims of one family are corrected together.

    Args:
        root: the folder of the data files.
    """
    sheets = [runs.sheet(claim.dataset, claim.set) for claim in runs.suite.claim]
    contrasts = [_contrast(sheet, claim) for sheet, claim in zip(sheets, runs.suite.claim, strict=True)]
    adjusted = np.full(len(contrasts), math.nan)
    for family in {claim.family for claim in runs.suite.claim}:
        members = [index for index, claim in enumerate(runs.suite.claim) if claim.family == family]
        adjusted[members] = holm([contrasts[index].p for index in members])
    judged = []
    for claim, sheet, ours, p in zip(runs.suite.claim, sheets, contrasts, adjusted, strict=True):
        higher, unit = _direction(sheet, claim)
        judged.append(
            Judged(
                claim=claim,
                unit=unit,
                planned=claim.n or (sheet.planned if sheet else 0),
                paper=_paper_contrast(sheet, claim),
                ours=ours,
                adjusted=float(p),
                verdict=judge(ours, margin=claim.margin or None, adjusted=float(p), higher_is_better=higher),
                resampled=_resampled(sheet, claim, root),
            )
        )
    return judged


def claims_page(runs: SuiteRuns, judged: Sequence[Judged]) -> Page:
    """A line per claim: what was claimed, the paper's contrast, ours, and the verdict."""
    header = (
        "claim",
        "claimed",
        "paper",
        "ours",
        "n",
        "p",
        "flips",
        "runs & images",
        "detect",
        "r",
        "verdict",
        "holds",
    )
    lines = [tuple(Words(says=says) for says in _line(each)) for each in judged]
    return Page(
        title=f"{runs.title}: claims",
        label=f"{runs.slug}-claims",
        quick=runs.quick,
        layout=Layout(header=header, lines=tuple(lines), tasks=0, costs=0),
        caption=(*([QUICK] if runs.quick else []), *_caption(judged)),
        footnotes=tuple(f"{each.name}: {each.verdict.sentence}." for each in judged),
    )


def claims_frame(runs: SuiteRuns, judged: Sequence[Judged]) -> pd.DataFrame:
    """One row per claim, at full precision."""
    return pd.DataFrame([{"suite": runs.suite.name, "size": runs.size, **_numbers(each)} for each in judged])


def _contrast(sheet: Sheet | None, claim: Claim) -> Contrast:
    first, second = _values(sheet, claim)
    return paired(first, second) if claim.test == "paired" else welch(first, second)


def _values(sheet: Sheet | None, claim: Claim) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per seed (S,) the metric of the two methods."""
    if sheet is None:
        return np.full(1, math.nan), np.full(1, math.nan)
    relative = claim.metric == DELTA
    values = dict(zip(sheet.methods, deltas(sheet.comparison), strict=True)) if relative else sheet.scores(claim.metric)
    seeds = len(next(iter(values.values()), np.empty(1)))
    nothing = np.full(seeds, math.nan)
    return values.get(claim.contrast[0], nothing), values.get(claim.contrast[1], nothing)


def _direction(sheet: Sheet | None, claim: Claim) -> tuple[bool, str]:
    if claim.metric == DELTA:
        return True, "%"
    found = [column for column in (sheet.columns if sheet else ()) if column.name == claim.metric]
    return (found[0].higher_is_better, found[0].unit) if found else (True, "")


def _paper_contrast(sheet: Sheet | None, claim: Claim) -> Contrast | None:
    if sheet is None or sheet.paper is None or sheet.paper.n < 2:
        return None
    first, second = (published_number(sheet.paper, method, claim.metric) for method in claim.contrast)
    if first is None or second is None or first[1] is None or second[1] is None:
        return None
    n = sheet.paper.n
    return welch_from(first[0], first[1], n, second[0], second[1], n)


def _resampled(sheet: Sheet | None, claim: Claim, root: Path) -> Resampled | None:
    if sheet is None or claim.metric == DELTA:
        return None
    methods = [sheet.runs(method) for method in claim.contrast]
    if any(method is None for method in methods):
        return None
    column = claim.metric if claim.metric != MEAN else ""
    first, second = (right_answers(method, column, root) for method in methods if method is not None)
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return None
    left, right = (np.stack([answers[seed] for seed in seeds]) for answers in (first, second))
    return accuracy_difference(left, right, np.random.default_rng(0))


def _line(each: Judged) -> Iterator[str]:
    ours = each.ours
    yield each.name
    yield each.claimed
    yield DASH if each.paper is None else _interval(each.paper.difference, each.paper.interval())
    yield DASH if math.isnan(ours.difference) else _interval(ours.difference, ours.interval())
    yield str(ours.n) if ours.n >= each.planned else f"{ours.n}/{each.planned}"
    yield _p(each.adjusted)
    yield DASH if ours.sign_flip is None or ours.least is None else f"{_p(ours.sign_flip)} (≥ {_p(ours.least)})"
    yield DASH if each.resampled is None else "{:+.2f} to {:+.2f}".format(*each.resampled.interval)
    yield DASH if ours.detectable is None else f"{ours.detectable:.2f}"
    yield DASH if ours.correlation is None else f"{ours.correlation:+.2f}"
    yield each.verdict.word
    yield each.holds


def _interval(difference: float, interval: tuple[float, float] | None) -> str:
    bounds = "" if interval is None else f" ({interval[0]:+.2f} to {interval[1]:+.2f})"
    return f"{difference:+.2f}{bounds}"


def _p(value: float) -> str:
    if math.isnan(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _caption(judged: Sequence[Judged]) -> tuple[str, ...]:
    families = len({each.claim.family for each in judged})
    tests = sorted({each.claim.test for each in judged})
    named = {"paired": "paired t over common seeds", "welch": "Welch's t"}
    return (
        "Each claim was declared with its test before the runs were looked at; differences are first minus second, "
        "with 95 % intervals.",
        "Paper: from its printed means, standard deviations and repeats, by Welch's t.",
        f"Ours: by {' or '.join(named[test] for test in tests)}; n: seeds, of those planned.",
        f"p: after Holm's correction over the claims of a family ({len(judged)} claims, {families} "
        f"famil{'y' if families == 1 else 'ies'}), which decides verdicts; flips: the exact sign-flip p, and the "
        "smallest that so many seeds can reach.",
        "Runs & images: the 95 % interval if seeds and test images are both drawn anew, too narrow with few seeds.",
        "Detect: the difference that so many seeds would show with 80 % power; r: the correlation of the pairs.",
        "Better or worse: the interval excludes 0 and p < .05; by more than the margin: the interval lies beyond it; "
        "equivalent: the 90 % interval lies within it; else undecided.",
    )


def _numbers(each: Judged) -> dict[str, object]:
    low, high = each.ours.interval() or (None, None)
    paper_low, paper_high = (each.paper.interval() if each.paper else None) or (None, None)
    both_low, both_high = each.resampled.interval if each.resampled else (None, None)
    return {
        "dataset": each.claim.dataset,
        "variation": ", ".join(f"{name}={value}" for name, value in each.claim.set.items()),
        "metric": each.claim.metric,
        "unit": each.unit,
        "first": each.claim.contrast[0],
        "second": each.claim.contrast[1],
        "direction": each.claim.direction,
        "margin": each.claim.margin or None,
        "family": each.claim.family,
        "test": each.claim.test,
        "paper_difference": each.paper.difference if each.paper else None,
        "paper_t95_low": paper_low,
        "paper_t95_high": paper_high,
        "n": each.ours.n,
        "planned": each.planned,
        "difference": each.ours.difference,
        "std": each.ours.std,
        "t95_low": low,
        "t95_high": high,
        "p": each.ours.p,
        "holm_p": each.adjusted,
        "welch_p": each.ours.welch,
        "sign_flip_p": each.ours.sign_flip,
        "least_sign_flip_p": each.ours.least,
        "runs_and_images_low": both_low,
        "runs_and_images_high": both_high,
        "detectable": each.ours.detectable,
        "correlation": each.ours.correlation,
        "verdict": each.verdict.word,
        "seeds_to_decide": each.verdict.runs,
        "holds": each.holds,
    }
