"""Claims that were judged by a plan of looks, in words: the table of verdicts, and the frame of the numbers."""

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.claims.judged import Judged
from mtbench.report.exhibits.claims.page import notes, short_verdict
from mtbench.report.marks import GROWN
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import reported
from mtbench.report.page.words import DASH, plain
from mtbench.report.text import decimals, fixed, p_value, signed, span
from mtbench.store.suites.declaration import content
from mtbench.store.suites.looks import LookPlan

__all__ = ["interval_in_words", "looks_frame", "looks_page", "numbers_of", "plan_in_words"]

_HEADER = (
    *("claim", "claimed", "verdict", "holds", "estimate", "paper", "n", "look"),
    *("margin", "repeated 95 %", "paper 95 %", "p", "t", "bound", "r"),
)
_ASIDE = (
    "Differences are first minus second. estimate: median-unbiased once the looks have ended; repeated 95 %: interval "
    "that holds at all looks together; p: sequential p-value after Holm's correction; bound: of abs(t) at the look."
)
_FIXED = ("t95_low", "t95_high", "p", "welch_p", "sign_flip_p", "least_sign_flip_p", "detectable", "seeds_to_decide")
"""Columns of numbers that hold for a fixed number of seeds only."""


def looks_page(runs: SuiteRuns, judged: Sequence[Judged]) -> Page:
    """Return a line per claim: what was claimed, the verdict, the estimate, the paper's difference, and the look."""
    plan = runs.looks
    assert plan is not None
    return Page(
        title=f"{runs.title}: claims",
        label=f"{runs.slug}-claims",
        quick=runs.quick,
        layout=Layout(header=_HEADER, lines=tuple(plain(_line(each)) for each in judged), tasks=0, costs=0),
        caption=(
            f"Claims of suite {runs.title}, judged by a plan of looks at {plan.listed} seeds: differences of the mean "
            "over tasks, first minus second method, unless the claim names another metric.",
            "Verdicts keep the 5 % level over all looks after Holm's correction.",
        ),
        details=tuple(_details(runs, plan)),
        footnotes=(*notes(judged), *_changed(runs, plan), *([_GREW] if any(each.grown for each in judged) else [])),
        aside=_ASIDE,
    )


def looks_frame(frame: pd.DataFrame, judged: Sequence[Judged]) -> pd.DataFrame:
    """Return the frame of claims without the numbers for a fixed number of seeds, and with those of the looks."""
    own = pd.DataFrame([numbers_of(each) for each in judged])
    return pd.concat([frame.assign(**dict.fromkeys(_FIXED)), own], axis=1)


def numbers_of(each: Judged) -> Mapping[str, object]:
    """Return the numbers of a claim at the look at which it was last judged."""
    course = each.course
    step = course.last if course else None
    if course is None or step is None:
        return dict.fromkeys(_NUMBERS) | {"look": 0, "decided": False}
    low, high = step.wide or (None, None)
    narrow_low, narrow_high = step.narrow or (None, None)
    values = (step.look + 1, step.decided, course.ended, course.estimate, low, high, narrow_low, narrow_high)
    return dict(zip(_NUMBERS, (*values, step.t, step.bound, each.grown), strict=True))


_NUMBERS = (
    *("look", "decided", "ended", "estimate", "repeated95_low", "repeated95_high", "repeated90_low", "repeated90_high"),
    *("t", "bound", "n_grew_after_a_look"),
)


def interval_in_words(interval: tuple[float, float] | None, digits: int) -> str:
    """Return a repeated interval; those of early looks can be too wide to be written."""
    if interval is None:
        return DASH
    return "unbounded" if math.isinf(interval[1]) else span(interval, digits)


def plan_in_words(plan: LookPlan) -> str:
    """Return a sentence on when a plan was sealed, and on the runs that had been seen by then."""
    date, sealed = plan.at.partition("T")[0], f"The looks, at {plan.listed} seeds, were sealed on"
    if not plan.seen:
        return f"{sealed} {date}, before the first run."
    verb = "run of the plan had a record and may" if plan.seen == 1 else "runs of the plan had records and may"
    return f"{sealed} {date}, when {plan.seen} {verb} have been looked at: error rates do not allow for that."


def _line(each: Judged) -> Iterator[str]:
    course, ours = each.course, each.ours
    assert course is not None
    step, digits = course.last, decimals([ours.difference], each.unit)
    yield each.name
    yield each.claim.direction
    yield short_verdict(each)
    yield each.holds
    yield DASH if math.isnan(course.estimate) else signed(course.estimate, digits)
    yield DASH if each.paper is None else signed(each.paper.difference, digits)
    yield str(ours.n) if ours.n >= each.planned else f"{ours.n}/{each.planned}"
    yield f"{step.look + 1 if step else 0} of {len(course.rule.looks)}"
    yield f"{each.claim.margin:g}" if each.claim.margin else DASH
    yield interval_in_words(step.wide if step else None, digits)
    yield interval_in_words(each.paper.interval() if each.paper else None, digits)
    yield p_value(step.adjusted.difference) if step else DASH
    yield DASH if step is None or math.isnan(step.t) else signed(step.t)
    yield DASH if step is None or math.isnan(step.bound) else fixed(step.bound)
    yield DASH if ours.correlation is None else signed(ours.correlation)


def _details(runs: SuiteRuns, plan: LookPlan) -> Iterator[str]:
    yield "Claims, margins and tests are those that the suite declares."
    yield from (text for text in (runs.declared, runs.changed) if text)
    yield plan_in_words(plan)
    yield f"Metrics are measured {reported(sheet.comparison.protocol for sheet in runs.sheets)}."
    yield (
        "A claim is judged at each look, on the seeds from 0 of that look, until it is decided; seeds that other "
        "claims needed later do not count for it. Bounds spend the level over the looks as Lan and DeMets (1983) do "
        "for bounds like those of O'Brien and Fleming, and apply to p-values of t-tests."
    )
    yield (
        "Several claims: Holm's correction of sequential p-values, which is Holm's graph of Maurer and Bretz (2013). "
        "Repeated intervals (Jennison and Turnbull, 1989) are for each claim alone. A claim is equivalent if the "
        "repeated 90 % interval lies within the margin."
    )
    yield (
        "Estimates of decided claims, and after the last look, are median-unbiased in the stage-wise order (Fairbanks "
        "and Madsen, 1982), approximately for t-tests; before that, and for claims of equivalence, they are the "
        "observed difference."
    )
    yield "r: correlation of the pairs."


_GREW = f"{GROWN} n grew after a look, as the plan allows: the verdict, the interval and the estimate allow for it."


def _changed(runs: SuiteRuns, plan: LookPlan) -> Iterator[str]:
    if list(plan.claims) != content(runs.suite)["claim"]:
        yield "The claims are not those of the plan of looks, so that the looks were not planned for them."
