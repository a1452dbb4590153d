"""Resources of the runs that a claim compares, and whether those are equal that it holds equal."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mtbench.plan.suite import AnyClaim, Claim, rendered
from mtbench.plan.suite.claims.held import RESOURCES, are_equal
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.cost.budget import budget_of
from mtbench.report.data.cost.spent import training_macs
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.text import counted, listed
from mtbench.store.record import Record

__all__ = ["Side", "amount", "not_equal", "sides_of"]


@dataclass(frozen=True, kw_only=True)
class Side:
    """The runs of one method at one place of a claim.

    Attributes:
        words: the method, and the place if the claim has two.
        dataset: the dataset in the suite.
        variation: the settings of the training protocol that the claim names.
        method: the suite's name of the method.
        used: each resource of `RESOURCES` by seed; None where a record does not tell it.
        budget: the budget of the search that chose its settings, in words; empty for default settings.
    """

    words: str
    dataset: str
    variation: str
    method: str
    used: Mapping[str, Mapping[int, float | None]]
    budget: str = ""

    def mean(self, resource: str) -> float:
        """Return the mean of a resource over runs; NaN if it is not known of all, or there are none."""
        values = list(self.used[resource].values())
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known and len(known) == len(values) else math.nan


def sides_of(runs: SuiteRuns, claim: AnyClaim) -> list[Side]:
    """Return the sides of a claim: each method at each of its places, in its order.

    Args:
        runs: the runs that are judged.
    """
    found = []
    for dataset, settings in claim.where:
        sheet = runs.sheet(dataset, settings)
        varied = ", ".join(f"{name}={value}" for name, value in rendered(settings).items())
        several = {each for each, _ in claim.where}
        place = f" on {dataset}" if len(several) > 1 else f" with {varied or 'default settings'}"
        for method in claim.methods:
            title = runs.suite.labels.get(method, method)
            found.append(
                Side(
                    words=title if isinstance(claim, Claim) else title + place,
                    dataset=dataset,
                    variation=varied,
                    method=method,
                    used=_used(sheet.runs(method) if sheet else None),
                    budget=_budget(sheet, method),
                )
            )
    return found


def not_equal(sides: Sequence[Side], equal: Sequence[str]) -> str:
    """Return in a clause why a claim is not judged that holds some resources equal; empty if it is.

    Runs of one seed are compared where all sides have some in common, else all runs with all others.
    """
    for resource in equal:
        used = [side.used[resource] for side in sides]
        if not all(used):
            continue  # a side has no runs yet
        words = f"{RESOURCES[resource]}, which the claim holds equal,"  # type: ignore[index]
        if unknown := [side.words for side in sides if None in side.used[resource].values()]:
            return f"the {words} are not known of {listed(unknown)}"
        common = sorted(set.intersection(*(set(each) for each in used)))
        groups = [[each[seed] for each in used] for seed in common] or [[side.mean(resource) for side in sides]]
        for numbers in groups:
            known = [number for number in numbers if number is not None]
            if not are_equal(resource, known):
                pairs = zip(sides, known, strict=True)
                return f"the {words} are {listed([f'{amount(resource, n)} of {side.words}' for side, n in pairs])}"
    return ""


def amount(resource: str, number: float) -> str:
    """Return a number of a resource in words: in full, or multiply-accumulates in short."""
    return counted(number) if resource == "training-macs" else f"{number:,.0f}"


def _used(method: MethodRuns | None) -> Mapping[str, Mapping[int, float | None]]:
    records = method.records if method else {}
    return {name: {seed: _spent(name, record) for seed, record in records.items()} for name in RESOURCES}


def _spent(resource: str, record: Record) -> float | None:
    if resource == "training-macs":
        return training_macs(record)
    return record.cost.steps if resource == "steps" else record.cost.label_uses


def _budget(sheet: Sheet | None, method: str) -> str:
    found = sheet.searches.get(method) if sheet else None
    return str(budget_of(found.study)) if found else ""
