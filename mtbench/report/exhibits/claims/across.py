"""Evidence for a claim about one task in two datasets: what a method gains on it from the other tasks of the first.

Runs of one seed are paired where they begin alike and see the same examples in the same order (see
`mtbench.plan.pairing`), which the number of training examples in the records settles; else Welch's test is taken, and
reports say why. No result enters that choice. Of two methods, the first minus the second of the same seed stands for
each dataset.

The spread over test images is not given: whether two datasets have the same ones no record tells.
"""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.pairing import unlike_starts
from mtbench.plan.suite import AcrossClaim, PaperTable, Suite, rendered
from mtbench.report.data.budget import unequal
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.data.suite.tuned import tuning_gap
from mtbench.report.data.unlike import mixed
from mtbench.report.exhibits.claims.evidence import Evidence, direction, paper_contrast, unconverged, unlearned
from mtbench.stats.contrast import Contrast, paired, welch, welch_from

__all__ = ["across", "contrasted", "unpaired_because", "words"]


def across(runs: SuiteRuns, claim: AcrossClaim) -> Evidence:
    """Return the evidence that a claim rests on."""
    sheets = [runs.sheet(dataset, claim.set) for dataset in claim.datasets]
    methods = [[_of(sheet, method) for method in claim.methods] for sheet in sheets]
    found = [method for group in methods for method in group if method]
    unpaired = unpaired_because(claim, found) if claim.test == "paired" else ""
    is_paired = claim.test == "paired" and not unpaired
    refused = _refused(sheets, claim)
    first, second = contrasted(None if refused else sheets, claim)
    parts = [(sheet, method) for sheet in sheets for method in claim.methods]
    higher, unit = direction(sheets[0], claim.datasets[0], claim.task)
    return Evidence(
        words=words(runs.suite, claim),
        stale=any(method.stale for method in found),
        mixed=any(mixed(one, other, paired=is_paired) for one, other in product(*map(_known, methods)))
        or any(len(_known(group)) == 2 and mixed(*_known(group)) for group in methods),
        higher_is_better=higher,
        unit=unit,
        planned=claim.n or min(runs.planned(dataset, claim.set) for dataset in claim.datasets),
        paper=_paper([runs.published(dataset, claim.set) for dataset in claim.datasets], claim),
        ours=paired(first, second) if is_paired else welch(first, second),
        unpaired=unpaired,
        refused=refused,
        unlearned=unlearned(parts, claim.task),
        grown=any(method.grown for method in found),
        gaining=unconverged(runs, parts, [claim.task], claim.margin),
    )


def contrasted(
    sheets: Sequence[Sheet | None] | None, claim: AcrossClaim
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return per seed (S,) what a claim compares, on the first and on the second dataset; NaN where it is not there."""
    gains = [_gains(sheet, claim) for sheet in sheets or (None, None)]
    seeds = sorted({seed for each in gains for seed in each})
    first, second = (np.array([each.get(seed, np.nan) for seed in seeds]) for each in gains)
    return first, second


def _refused(sheets: Sequence[Sheet | None], claim: AcrossClaim) -> str:
    """Return why tuned runs are not compared, in a clause; empty if they are."""
    gaps = [tuning_gap(sheet, claim.methods, beside_single=False) for sheet in sheets]
    if any(gaps):
        return next(gap for gap in gaps if gap)
    budgets = unequal(
        {
            f"{name} on {sheet.dataset}": sheet.searches[name].study
            for sheet in sheets
            for name in claim.methods
            if sheet and sheet.comparison.tuned
        }
    )
    return f"the budgets of the searches are unequal ({budgets})" if budgets else ""


def words(suite: Suite, claim: AcrossClaim) -> str:
    """Return the contrast of a claim in words."""
    first, second = claim.datasets
    varied = "".join(f", {name}={value}" for name, value in rendered(claim.set).items())
    minus = "\N{MINUS SIGN}"
    methods = f" {minus} ".join(suite.labels.get(method, method) for method in claim.methods)
    contrast = f"({methods})" if claim.against else methods
    return f"{claim.task}{varied}, {contrast}: {first} {minus} {second}"


def _of(sheet: Sheet | None, method: str) -> MethodRuns | None:
    return sheet.runs(method) if sheet else None


def _known(methods: list[MethodRuns | None]) -> list[MethodRuns]:
    return [method for method in methods if method]


def _gains(sheet: Sheet | None, claim: AcrossClaim) -> dict[int, float]:
    """Return the task's metric of the method by seed; of two the first minus the second. Only of seeds that have it."""
    if sheet is None:
        return {}
    scores = sheet.scores(claim.task)
    nothing: NDArray[np.float64] = np.full(len(sheet.comparison.seeds), np.nan)
    values = scores.get(claim.method, nothing)
    if claim.against:
        values = values - scores.get(claim.against, nothing)
    return {
        seed: float(value) for seed, value in zip(sheet.comparison.seeds, values, strict=True) if not math.isnan(value)
    }


def unpaired_because(claim: AcrossClaim, methods: list[MethodRuns]) -> str:
    """Return why runs of one seed of the methods of a claim are no pairs, in a clause; empty if they are."""
    for method in claim.methods:
        if why := unlike_starts(method, *claim.datasets):
            return why
    examples = sorted({record.training_examples for method in methods for record in method.records.values()})
    return f"{' and '.join(f'{count:,}' for count in examples)} training examples" if len(examples) > 1 else ""


def _paper(tables: list[PaperTable | None], claim: AcrossClaim) -> Contrast | None:
    """Return the contrast of the printed numbers: of one method Welch's; of two the difference alone, for it is not
    said how far runs of two methods move together."""
    left, right = tables
    contrasts = [paper_contrast((left, method), (right, method), claim.task) for method in claim.methods]
    found = [contrast for contrast in contrasts if contrast]
    if len(found) < len(contrasts):
        return None
    if not claim.against:
        return found[0]
    first, second = found
    return welch_from(first.difference, math.nan, 0, second.difference, math.nan, 0)
