"""Evidence for a claim about two methods on one dataset."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.suite import Claim, PaperTable, Suite, rendered
from mtbench.report.data.answers.images import right_answers
from mtbench.report.data.answers.triplets import triplet_answers
from mtbench.report.data.answers.unread import unread
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.gains.relative import single_task_runs
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.data.suite.tuned import tuning_gap
from mtbench.report.data.unlike import mixed
from mtbench.report.exhibits.claims.evidence import (
    Evidence,
    direction_of,
    measured_values,
    metric_in_words,
    paper_contrast,
    unconverged,
    unlearned,
    unmeasured,
)
from mtbench.report.exhibits.claims.held import not_equal, sides_of
from mtbench.stats.contrast import Contrast, paired, welch, welch_from
from mtbench.stats.resample import Resampled, accuracy_difference
from mtbench.stats.triplets import triplet_difference

__all__ = ["contrasted", "within", "words"]


def within(runs: SuiteRuns, claim: Claim, root: Path | None) -> Evidence:
    """Return the evidence that a claim rests on; `root` is the folder of the data files, None for no resampling."""
    sheet, paper = runs.sheet(claim.dataset, claim.set), runs.published(claim.dataset, claim.set)
    parts, sides = [(sheet, method) for method in claim.contrast], sides_of(runs, claim)
    refused = (
        tuning_gap(sheet, claim.contrast, beside_single=claim.is_relative)
        or not_equal(sides, claim.equal)
        or unmeasured(parts, claim)
    )
    first, second = contrasted(None if refused else sheet, claim)
    ours = paired(first, second) if claim.test == "paired" else welch(first, second)
    resampled = None if root is None else _resampled(sheet, claim, ours.n, root)
    higher, unit = direction_of(sheet, claim)
    return Evidence(
        words=words(runs.suite, claim),
        stale=_stale(sheet, claim),
        mixed=_mixed(sheet, claim),
        higher_is_better=higher,
        unit=unit,
        planned=claim.n or runs.planned(claim.dataset, claim.set),
        paper=None if claim.quantity else _paper(paper, claim),
        ours=ours,
        refused=refused,
        resampled=resampled,
        unread=unread(_resampled_methods(sheet, claim, ours.n)) if root is not None and resampled is None else "",
        unlearned=all(unlearned(parts, column) for column in claim.columns),
        grown=_grown(sheet, claim),
        sides=sides,
        gaining=unconverged(runs, parts, claim.columns, claim.metric_margin),
    )


def words(suite: Suite, claim: Claim) -> str:
    """Return the contrast in words; the metric where it is not the mean over tasks."""
    first, second = (suite.labels.get(method, method) for method in claim.contrast)
    varied = "".join(f", {name}={value}" for name, value in rendered(claim.set).items())
    return f"{claim.dataset}{varied}{metric_in_words(claim)}: {first} \N{MINUS SIGN} {second}"


def contrasted(sheet: Sheet | None, claim: Claim) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return per seed (S,) the metric of the two methods of a claim; NaN where there is no finished run."""
    values = measured_values(sheet, claim)
    nothing = np.full(len(next(iter(values.values()), np.empty(1))), np.nan)
    return values.get(claim.contrast[0], nothing), values.get(claim.contrast[1], nothing)


def _paper(table: PaperTable | None, claim: Claim) -> Contrast | None:
    """Welch's, from the printed numbers; of a group of tasks the difference alone, for no table says how far its tasks
    move together."""
    first, second = ((table, method) for method in claim.contrast)
    found = [contrast for column in claim.columns if (contrast := paper_contrast(first, second, column))]
    if len(found) < len(claim.columns):
        return None
    if len(found) == 1:
        return found[0]
    mean = sum(contrast.difference for contrast in found) / len(found)
    return welch_from(mean, math.nan, 0, 0.0, math.nan, 0)


def _stale(sheet: Sheet | None, claim: Claim) -> bool:
    methods = [sheet.runs(method) for method in claim.contrast] if sheet else []
    return any(method.stale for method in methods if method)


def _grown(sheet: Sheet | None, claim: Claim) -> bool:
    methods = [sheet.runs(method) for method in claim.contrast] if sheet else []
    return any(method.grown for method in methods if method)


def _mixed(sheet: Sheet | None, claim: Claim) -> bool:
    """Return whether the contrast, or a gain over single-task networks in it, is of runs of unlike numerics."""
    if sheet is None:
        return False
    methods = [method for name in claim.contrast if (method := sheet.runs(name))]
    single = single_task_runs(sheet.comparison) if claim.is_relative else None
    contrast = len(methods) == 2 and mixed(*methods, paired=claim.test == "paired")
    return contrast or any(mixed(method, single) for method in methods if single)


def _resampled_methods(sheet: Sheet | None, claim: Claim, pairs: int) -> list[MethodRuns]:
    """Return the methods whose runs are resampled; none for a claim that is of no single images."""
    if sheet is None or not claim.is_of_images or claim.test != "paired" or not pairs:
        return []
    return [method for name in claim.contrast if (method := sheet.runs(name)) is not None]


def _resampled(sheet: Sheet | None, claim: Claim, pairs: int, root: Path) -> Resampled | None:
    """Resample the very pairs of runs that the contrast is of, so that the two intervals can be compared."""
    methods = _resampled_methods(sheet, claim, pairs)
    if not methods:
        return None
    found: Sequence[Mapping[int, NDArray[Any]]] = [right_answers(method, claim.metric, root) for method in methods]
    triplets = None if any(found) else triplet_answers(methods, claim.metric)
    if triplets:
        found = triplets.right
    seeds = sorted(set.intersection(*(set(answers) for answers in found)))
    if len(seeds) < pairs:
        return None
    left, right = (np.stack([answers[seed] for seed in seeds]) for answers in found)
    chance = np.random.default_rng(0)
    if triplets:
        return triplet_difference(left, right, triplets.images, chance, tasks=triplets.tasks)
    return accuracy_difference(left, right, chance)
