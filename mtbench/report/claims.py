"""A suite's claims, judged: what was claimed, what the paper's own numbers say of it, and what the runs say."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.parse import parse_dataset
from mtbench.plan.suite import MEAN, Claim, PaperTable, rendered
from mtbench.report.answers import right_answers
from mtbench.report.published import published_number
from mtbench.report.relative import DELTA, deltas, single_task_runs
from mtbench.report.suite import Sheet, SuiteRuns
from mtbench.report.unlike import MARK, mixed
from mtbench.stats.contrast import Contrast, holm, paired, welch, welch_from
from mtbench.stats.resample import Resampled, accuracy_difference
from mtbench.stats.verdict import Verdict, judge

__all__ = ["Judged", "judge_claims"]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim and what became of it.

    Attributes:
        titles: what the suite calls the two methods.
        stale: whether any run of the two is stale.
        mixed: whether runs of unlike numerics are compared.
        unit: of the metric.
        planned: how many seeds were planned.
        paper: the contrast of the published numbers, by Welch; None if there are none.
        ours: the contrast of the runs.
        adjusted: its p after Holm's correction over the claims of its family.
        verdict: on the contrast.
        resampled: the spread over runs and test images that might have been; None where predictions or data lack.
    """

    claim: Claim
    titles: tuple[str, str]
    stale: bool
    mixed: bool
    unit: str
    planned: int
    paper: Contrast | None
    ours: Contrast
    adjusted: float
    verdict: Verdict
    resampled: Resampled | None

    @property
    def name(self) -> str:
        """The contrast in words; the metric where it is not the mean over tasks, † where runs are stale, ‡ where they
        have unlike numerics."""
        first, second = self.titles
        varied = "".join(f", {name}={value}" for name, value in rendered(self.claim.set).items())
        metric = {DELTA: ", Δm", MEAN: ""}.get(self.claim.metric, f", {self.claim.metric}")
        marks = "†" * self.stale + MARK * self.mixed
        return f"{self.claim.dataset}{varied}{metric}: {first} \N{MINUS SIGN} {second}{marks}"

    @property
    def holds(self) -> str:
        """Whether the verdict bears the claim out: ``yes``, ``no`` or ``open``.

        What is better or worse, but not surely by more than the margin, may yet be equivalent.
        """
        word, direction = self.verdict.word, self.claim.direction
        if word == "undecided" or (direction == "equivalent" and word in ("better", "worse")):
            return "open"
        return "yes" if word.startswith(direction) else "no"


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
                titles=(_title(runs, claim.contrast[0]), _title(runs, claim.contrast[1])),
                stale=_stale(sheet, claim),
                mixed=_mixed(sheet, claim),
                unit=unit,
                planned=claim.n or runs.planned(claim.dataset, claim.set),
                paper=_paper_contrast(runs.published(claim.dataset, claim.set), claim),
                ours=ours,
                adjusted=float(p),
                verdict=judge(ours, margin=claim.margin or None, adjusted=float(p), higher_is_better=higher),
                resampled=_resampled(sheet, claim, ours.n, root),
            )
        )
    return judged


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


def _stale(sheet: Sheet | None, claim: Claim) -> bool:
    methods = [sheet.runs(method) for method in claim.contrast] if sheet else []
    return any(method.stale for method in methods if method)


def _mixed(sheet: Sheet | None, claim: Claim) -> bool:
    """Whether the contrast, or a gain over single-task networks in it, is of runs of unlike numerics."""
    if sheet is None:
        return False
    methods = [method for name in claim.contrast if (method := sheet.runs(name))]
    single = single_task_runs(sheet.comparison) if claim.metric == DELTA else None
    contrast = len(methods) == 2 and mixed(*methods, paired=claim.test == "paired")
    return contrast or any(mixed(method, single) for method in methods if single)


def _title(runs: SuiteRuns, method: str) -> str:
    return runs.suite.labels.get(method, method)


def _direction(sheet: Sheet | None, claim: Claim) -> tuple[bool, str]:
    """Whether higher is better, and the unit: as the runs have it, or before there are any, the dataset."""
    if claim.metric == DELTA:
        return True, "%"
    found = [column for column in (sheet.columns if sheet else ()) if column.name == claim.metric]
    if found:
        return found[0].higher_is_better, found[0].unit
    metrics = {task.name: task.kind.metrics[0] for task in parse_dataset(claim.dataset).tasks()}
    metric = metrics.get(claim.metric) or next(iter(metrics.values()))
    return metric.higher_is_better, metric.unit


def _paper_contrast(paper: PaperTable | None, claim: Claim) -> Contrast | None:
    """With an interval only where spreads and repeats were published."""
    if paper is None:
        return None
    first, second = (published_number(paper, method, claim.metric) for method in claim.contrast)
    if first is None or second is None:
        return None
    (mean, std), (other_mean, other_std), n = first, second, paper.n
    return welch_from(
        mean, math.nan if std is None else std, n, other_mean, math.nan if other_std is None else other_std, n
    )


def _resampled(sheet: Sheet | None, claim: Claim, pairs: int, root: Path) -> Resampled | None:
    """Of the very pairs of runs that the contrast is of, so that the two intervals can be compared."""
    if sheet is None or claim.metric == DELTA or claim.test != "paired" or not pairs:
        return None
    methods = [sheet.runs(method) for method in claim.contrast]
    first, second = (right_answers(method, claim.metric, root) for method in methods if method is not None)
    seeds = sorted(first.keys() & second.keys())
    if len(seeds) < pairs:
        return None
    left, right = (np.stack([answers[seed] for seed in seeds]) for answers in (first, second))
    return accuracy_difference(left, right, np.random.default_rng(0))
