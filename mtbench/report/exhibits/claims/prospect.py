"""Prospects of claims before their runs are trained: the seeds that they need, by the spread of earlier runs.

The effect is unknown before it is measured, so that seeds are planned for the claim's margin, the smallest difference
that matters. The observed difference of earlier runs is likely to be too large, and seeds for it too few.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from mtbench import registry
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import SIZE, AnyClaim, Claim, Suite
from mtbench.plan.suite.claims.claim import Where
from mtbench.plan.suite.planned import Place, meant
from mtbench.report.data.comparison import Comparison, MethodRuns, compare
from mtbench.report.data.suite.runs import Sheet
from mtbench.report.exhibits.claims import across, within
from mtbench.report.exhibits.claims.evidence import measured_values
from mtbench.stats.contrast import LEVEL, Contrast, paired, welch
from mtbench.stats.power import runs_needed, runs_to_equivalence
from mtbench.store.status import RunStatus

__all__ = ["EQUAL", "Prospect", "prospects"]

EQUAL = ("name", "seeds", "curve", "diagnostics")
"""Settings of a training protocol that have no effect on test metrics."""


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """The prospect of a claim.

    Attributes:
        claim: the claim.
        words: the contrast in words.
        specs: a run of each kind that the claim needs, all with seed 0.
        planned: the number of seeds that the suite plans at this size.
        contrast: the contrast of earlier runs; None if there are no earlier runs with a standard deviation.
        comparisons: the earlier runs of each place of the claim; empty without a contrast.
        beside: a planned run of each place.
        to_margin: the number of seeds that detect a difference of the claim's margin, or for equivalence show that a
            difference of 0 is within it, with 80 % power; None without a margin or a contrast, or if more than 1000.
        to_observed: the number of seeds that decide the claim with 80 % power if the observed difference is true.
    """

    claim: AnyClaim
    words: str
    specs: tuple[RunSpec, ...]
    planned: int
    contrast: Contrast | None = None
    comparisons: tuple[Comparison, ...] = ()
    beside: tuple[RunSpec, ...] = ()
    to_margin: int | None = None
    to_observed: int | None = None


def prospects(suite: Suite, planned: Mapping[Place, RunSpec], earlier: Iterable[RunStatus]) -> list[Prospect]:
    """Return the prospect of every claim of a suite.

    Args:
        suite: the suite.
        planned: a run of each of its places at the size that is to be trained, see `planned_places`.
        earlier: runs of any protocols; those with a record count, trials of searches excepted.
    """
    known = compare(run for run in earlier if run.record and not run.spec.trial)
    sizes: dict[str, int] = {}
    for claim in suite.claim:
        sizes[claim.family] = sizes.get(claim.family, 0) + 1
    return [_prospect(suite, claim, planned, known, LEVEL / sizes[claim.family]) for claim in suite.claim]


def _prospect(
    suite: Suite,
    claim: AnyClaim,
    planned: Mapping[Place, RunSpec],
    known: Sequence[Comparison],
    level: float,
) -> Prospect:
    needed = [_needed(suite, claim, where, planned) for where in claim.where]
    specs = tuple(spec for named in needed for spec in named.values())
    seeds = claim.n or min((spec.protocol.seeds for spec in specs), default=0)
    words = within.words(suite, claim) if isinstance(claim, Claim) else across.words(suite, claim)
    bare = Prospect(claim=claim, words=words, specs=specs, planned=seeds)
    sheets = [_nearest(dataset, named, claim, known) for (dataset, _), named in zip(claim.where, needed, strict=True)]
    there = [sheet for sheet in sheets if sheet]
    contrast = _contrast(claim, there) if len(there) == len(sheets) else None
    if contrast is None or not contrast.std:
        return bare
    margin, std = claim.margin, contrast.std
    plans = [runs_needed(contrast.difference, std, level=level)]
    to_margin = runs_needed(margin, std, level=level)
    if margin:
        plans.append(runs_to_equivalence(contrast.difference, std, margin=margin, level=level))
        if claim.direction == "equivalent":
            to_margin = runs_to_equivalence(0.0, std, margin=margin, level=level)
    return replace(
        bare,
        contrast=contrast,
        comparisons=tuple(sheet.comparison for sheet in there),
        beside=tuple(named[claim.methods[0]] for named in needed),
        to_margin=to_margin,
        to_observed=min((plan for plan in plans if plan is not None), default=None),
    )


def _needed(suite: Suite, claim: AnyClaim, where: Where, planned: Mapping[Place, RunSpec]) -> dict[str, RunSpec]:
    """Return the planned runs that a claim needs at a place, by the suite's names of their methods."""
    dataset, settings = where
    variation = meant(suite, dataset, settings)
    there = {
        place.method: spec
        for place, spec in planned.items()
        if (place.dataset, place.variation) == (dataset, variation)
    }
    singles = registry.with_role("method", registry.SINGLE_TASK)
    return {
        name: spec
        for name, spec in there.items()
        if name in claim.methods or (claim.is_relative and spec.network.name in singles)
    }


def _nearest(dataset: str, needed: Mapping[str, RunSpec], claim: AnyClaim, known: Iterable[Comparison]) -> Sheet | None:
    """Return the runs of the methods of a claim whose training protocol is nearest to the planned one.

    Nearest are those with the fewest other settings, then the most alike in the number of epochs, then in the number of
    training examples, then those with the most seeds. None if no runs of at least two seeds are there.
    """
    if not set(claim.methods) <= needed.keys():
        return None
    spec = needed[claim.methods[0]]
    candidates = list[tuple[tuple[int, float, float], int, int, Sheet]]()
    alike = [each for each in known if each.dataset == str(spec.dataset)]
    whole = max((_examples(each) for each in alike), default=0)
    for comparison in alike:
        rows = {name: _row(comparison, each) for name, each in needed.items()}
        found = {name: row for name, row in rows.items() if row}
        sheet = Sheet(
            dataset=dataset,
            variation=(),
            comparison=replace(comparison, methods=tuple(found.values())),
            methods=tuple(found),
            planned=0,
            paper=None,
        )
        seeds = min((_known(sheet, name, claim) for name in found), default=0)
        if len(found) == len(needed) and seeds > 1:
            candidates.append((_distance(comparison, spec, whole), -seeds, len(candidates), sheet))
    return min(candidates)[-1] if candidates else None


def _known(sheet: Sheet, name: str, claim: AnyClaim) -> int:
    """Return the number of seeds of a method of earlier runs that a claim can be judged on."""
    method = sheet.runs(name)
    if claim.quantity and name in claim.methods:
        return int(np.isfinite(measured_values(sheet, claim)[name]).sum())
    return len(method.records) if method else 0


def _row(comparison: Comparison, spec: RunSpec) -> MethodRuns | None:
    """Return the runs of a comparison with the method and the backbone of a run; None if it has none."""
    parts = (spec.network, spec.balancer, spec.backbone)
    for method in comparison.methods:
        own = method.runs[0].spec
        if (own.network, own.balancer, own.backbone) == parts and method.records:
            return method
    return None


def _distance(comparison: Comparison, spec: RunSpec, whole: int) -> tuple[int, float, float]:
    """Return how far the protocol of runs is from the planned one; smaller is nearer."""
    theirs, ours = comparison.protocol, spec.common_protocol
    names = [field.name for field in fields(ours) if field.name not in (*EQUAL, *SIZE)]
    unlike = sum(getattr(theirs, name) != getattr(ours, name) for name in names)
    examples = min(ours.images or whole, whole)
    return unlike, abs(math.log(theirs.epochs / ours.epochs)), abs(math.log(_examples(comparison) / examples))


def _examples(comparison: Comparison) -> int:
    return max((record.training_examples for row in comparison.methods for record in row.records.values()), default=1)


def _contrast(claim: AnyClaim, sheets: Sequence[Sheet]) -> Contrast:
    """Return the contrast of earlier runs, by the test of the claim."""
    if isinstance(claim, Claim):
        values, is_paired = within.contrasted(sheets[0], claim), claim.test == "paired"
    else:
        runs = [row for sheet in sheets for row in sheet.comparison.methods]
        values = across.contrasted(sheets, claim)
        is_paired = claim.test == "paired" and not across.unpaired_because(claim, runs)
    return paired(*values) if is_paired else welch(*values)
