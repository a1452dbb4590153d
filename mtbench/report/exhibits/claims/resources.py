"""Resources of the contrasts of a suite's claims: what each claim holds equal, and what both sides have used."""

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from mtbench.plan.suite.claims.held import RESOURCES, Resource
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.claims.held import Side, amount
from mtbench.report.exhibits.claims.judged import Judged
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.words import DASH, plain

__all__ = ["resources_frame", "resources_page", "shown"]

_HEADS: Mapping[Resource, str] = {"steps": "steps", "label-uses": "labels", "training-macs": "MACs"}


def shown(judged: Sequence[Judged]) -> list[Judged]:
    """Return the claims that hold something equal, or whose sides have used unlike resources or budgets."""
    return [each for each in judged if each.claim.equal or _unlike(each.sides)]


def resources_page(runs: SuiteRuns, claims: Sequence[Judged]) -> Page:
    """Return a line per claim; numbers of both sides where they differ, else one.

    Args:
        runs: the suite's runs.
        claims: the claims that are `shown`.
    """
    tuned = any(side.budget for each in claims for side in each.sides)
    label = f"{runs.slug}-claims-resources"
    return Page(
        title=f"{runs.title}: resources of the contrasts",
        label=label,
        quick=runs.quick,
        layout=Layout(
            header=("claim", "held equal", *_HEADS.values(), *(["tuning"] if tuned else [])),
            lines=tuple(plain(_line(each, tuned=tuned)) for each in claims),
            tasks=0,
            costs=0,
        ),
        caption=(
            f"Resources that runs of suite {runs.title} have used, for each claim that holds some of them equal or "
            "whose sides differ: means over runs, with slashes between the sides of the contrast where they differ.",
        ),
        details=(
            "Sides are in the order of the contrast: first method, second method; of a claim about two places the "
            "methods at the first place, then those at the second.",
            "Steps: optimizer steps. Labels: labels that entered a loss. MACs: multiply-accumulates of the forward "
            "passes of training; balancers that need a gradient per task make more backward passes, which are not "
            "counted.",
            "A claim that holds a resource equal is judged only where the records of both sides have it alike, seed by "
            "seed: steps and labels exactly, MACs within 3 %.",
        ),
        footnotes=tuple(_footnotes(claims)),
    )


def resources_frame(runs: SuiteRuns, claims: Sequence[Judged]) -> pd.DataFrame:
    """Return a row per claim and side, at full precision: means over runs."""
    start = {"suite": runs.suite.name, "size": runs.size}
    rows = []
    for each in claims:
        for number, side in enumerate(each.sides, start=1):
            own = {"claim": each.words, "side": number, "dataset": side.dataset, "variation": side.variation}
            used = {name.replace("-", "_"): side.mean(name) for name in RESOURCES}
            held = {"held_equal": ", ".join(each.claim.equal), "runs": len(side.used["steps"])}
            rows.append({**start, **own, "method": side.method, **held, **used, "tuning": side.budget or None})
    return pd.DataFrame(rows)


def _unlike(sides: Sequence[Side]) -> bool:
    """Return whether sides that all have runs have used unlike numbers of labels or operations, or unlike budgets."""
    if not all(side.used["steps"] for side in sides):
        return False
    return len({side.budget for side in sides}) > 1 or any(
        len(set(_amounts(sides, resource))) > 1 for resource in ("label-uses", "training-macs")
    )


def _line(each: Judged, *, tuned: bool) -> Iterator[str]:
    yield each.name
    yield ", ".join(RESOURCES[name] for name in each.claim.equal) or DASH
    for resource in _HEADS:
        yield _together(_amounts(each.sides, resource))
    if tuned:
        yield _together([side.budget or DASH for side in each.sides])


def _amounts(sides: Sequence[Side], resource: str) -> list[str]:
    means = [side.mean(resource) for side in sides]
    return [DASH if math.isnan(mean) else amount(resource, mean) for mean in means]


def _together(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else " / ".join(texts)


def _footnotes(claims: Sequence[Judged]) -> Iterator[str]:
    if any(math.isnan(side.mean("training-macs")) and side.used["steps"] for each in claims for side in each.sides):
        yield "MACs are not known of runs that were made before they were measured, unless the record implies them."
