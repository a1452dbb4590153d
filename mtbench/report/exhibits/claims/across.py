"""Evidence for a claim about one method in two places: on a task of two datasets, or under two settings of training.

Runs of one seed are paired where they begin alike and see the same examples in the same order (see
`mtbench.plan.pairing`), which the number of training examples in the records settles; else Welch's test is taken, and
reports say why. No result enters that choice. Of two methods, the first minus the second of the same seed stands for
each place.

The spread over test images is not given: whether two datasets have the same ones no record tells.
"""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mtbench.plan.pairing import unlike_starts
from mtbench.plan.suite import AcrossClaim, PaperTable, SettingsClaim, Suite, rendered
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.cost.budget import unequal
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
    settings_in_words,
    unconverged,
    unlearned,
    unmeasured,
)
from mtbench.report.exhibits.claims.held import not_equal, sides_of
from mtbench.stats.contrast import Contrast, paired, welch, welch_from

__all__ = ["across", "contrasted", "unpaired_because", "words"]


def across(runs: SuiteRuns, claim: AcrossClaim | SettingsClaim) -> Evidence:
    """Return the evidence that a claim rests on."""
    sheets = [runs.sheet(*where) for where in claim.where]
    methods = [[_of(sheet, method) for method in claim.methods] for sheet in sheets]
    found = [method for group in methods for method in group if method]
    unpaired = unpaired_because(claim, found) if claim.test == "paired" else ""
    is_paired = claim.test == "paired" and not unpaired
    parts, sides = [(sheet, method) for sheet in sheets for method in claim.methods], sides_of(runs, claim)
    refused = _refused(sheets, claim) or not_equal(sides, claim.equal) or unmeasured(parts, claim)
    first, second = contrasted(None if refused else sheets, claim)
    higher, unit = direction_of(sheets[0], claim)
    return Evidence(
        words=words(runs.suite, claim),
        stale=any(method.stale for method in found),
        mixed=any(mixed(one, other, paired=is_paired) for one, other in product(*map(_known, methods)))
        or any(len(_known(group)) == 2 and mixed(*_known(group)) for group in methods)
        or (claim.is_relative and any(map(_mixed_with_single, sheets, methods))),
        higher_is_better=higher,
        unit=unit,
        planned=claim.n or min(runs.planned(*where) for where in claim.where),
        paper=None if claim.quantity else _paper([runs.published(*where) for where in claim.where], claim),
        ours=paired(first, second) if is_paired else welch(first, second),
        unpaired=unpaired,
        refused=refused,
        unlearned=unlearned(parts, claim.columns[0]),
        grown=any(method.grown for method in found),
        sides=sides,
        gaining=unconverged(runs, parts, claim.columns, claim.metric_margin),
    )


def contrasted(
    sheets: Sequence[Sheet | None] | None, claim: AcrossClaim | SettingsClaim
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return per seed (S,) what a claim compares, at the first and at the second place; NaN where it is not there."""
    gains = [_gains(sheet, claim) for sheet in sheets or (None, None)]
    seeds = sorted({seed for each in gains for seed in each})
    first, second = (np.array([each.get(seed, np.nan) for seed in seeds]) for each in gains)
    return first, second


def _refused(sheets: Sequence[Sheet | None], claim: AcrossClaim | SettingsClaim) -> str:
    """Return why tuned runs are not compared, in a clause; empty if they are."""
    gaps = [tuning_gap(sheet, claim.methods, beside_single=claim.is_relative) for sheet in sheets]
    if any(gaps):
        return next(gap for gap in gaps if gap)
    budgets = unequal(
        {
            f"{name} {place}": sheet.searches[name].study
            for sheet, place in zip(sheets, _places(claim), strict=True)
            for name in claim.methods
            if sheet and sheet.comparison.tuned
        }
    )
    return f"the budgets of the searches are unequal ({budgets})" if budgets else ""


def _places(claim: AcrossClaim | SettingsClaim) -> Sequence[str]:
    """Return the two places of a claim after the word that goes before them."""
    if isinstance(claim, AcrossClaim):
        return [f"on {dataset}" for dataset in claim.datasets]
    return [f"with {settings_in_words(rendered(settings))}" for settings in claim.settings]


def words(suite: Suite, claim: AcrossClaim | SettingsClaim) -> str:
    """Return the contrast of a claim in words."""
    minus = "\N{MINUS SIGN}"
    methods = f" {minus} ".join(suite.labels.get(method, method) for method in claim.methods)
    contrast = f"({methods})" if claim.against else methods
    if isinstance(claim, SettingsClaim):
        first, second = (settings_in_words(rendered(settings)) for settings in claim.settings)
        return f"{claim.dataset}{metric_in_words(claim)}, {contrast}: {first} {minus} {second}"
    first, second = claim.datasets
    varied = "".join(f", {name}={value}" for name, value in rendered(claim.set).items())
    return f"{claim.task}{varied}, {contrast}: {first} {minus} {second}"


def _of(sheet: Sheet | None, method: str) -> MethodRuns | None:
    return sheet.runs(method) if sheet else None


def _known(methods: list[MethodRuns | None]) -> list[MethodRuns]:
    return [method for method in methods if method]


def _mixed_with_single(sheet: Sheet | None, methods: list[MethodRuns | None]) -> bool:
    single = single_task_runs(sheet.comparison) if sheet else None
    return single is not None and any(mixed(method, single) for method in _known(methods))


def _gains(sheet: Sheet | None, claim: AcrossClaim | SettingsClaim) -> dict[int, float]:
    """Return the metric of the method by seed; of two the first minus the second. Only of seeds that have it."""
    if sheet is None:
        return {}
    known = measured_values(sheet, claim)
    nothing: NDArray[np.float64] = np.full(len(sheet.comparison.seeds), np.nan)
    values = known.get(claim.method, nothing)
    if claim.against:
        values = values - known.get(claim.against, nothing)
    return {
        seed: float(value) for seed, value in zip(sheet.comparison.seeds, values, strict=True) if not math.isnan(value)
    }


def unpaired_because(claim: AcrossClaim | SettingsClaim, methods: list[MethodRuns]) -> str:
    """Return why runs of one seed of the methods of a claim are no pairs, in a clause; empty if they are."""
    if isinstance(claim, AcrossClaim):
        for method in claim.methods:
            if why := unlike_starts(method, *claim.datasets):
                return why
    examples = sorted({record.training_examples for method in methods for record in method.records.values()})
    return f"{' and '.join(f'{count:,}' for count in examples)} training examples" if len(examples) > 1 else ""


def _paper(tables: list[PaperTable | None], claim: AcrossClaim | SettingsClaim) -> Contrast | None:
    """Return the contrast of the printed numbers: of one method Welch's; of two the difference alone, for it is not
    said how far runs of two methods move together."""
    left, right = tables
    contrasts = [paper_contrast((left, method), (right, method), claim.columns[0]) for method in claim.methods]
    found = [contrast for contrast in contrasts if contrast]
    if len(found) < len(contrasts):
        return None
    if not claim.against:
        return found[0]
    first, second = found
    return welch_from(first.difference, math.nan, 0, second.difference, math.nan, 0)
