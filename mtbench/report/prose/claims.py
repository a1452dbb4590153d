"""Numbers of a suite's claims by the names that sentences use for them.

They are a table of their own, ``claims of SUITE, SIZE``; in the place of a method stands the contrast of a claim.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.claims.judged import Judged
from mtbench.report.exhibits.claims.page import counted, short_verdict
from mtbench.report.exhibits.summary.quantities import Number
from mtbench.report.marks import MARKS
from mtbench.report.page.words import DASH
from mtbench.report.prose.table import Line, Numbers
from mtbench.report.text import decimals, p_value, signed, span

__all__ = ["AGREEMENT", "COLUMNS", "FEWEST", "claim_names", "numbers_of_claims"]

COLUMNS = ("difference", "interval", "n", "paper", "margin", "p", "verdict", "agreement")
"""Names of the columns: our difference, its 95 % interval, the number of seeds (with a slash before the planned number
if some are missing); the published difference; the margin; p after Holm's correction; the verdict; and whether the runs
agree with the claim."""
AGREEMENT = {"yes": "agrees", "no": "disagrees", "open": "cannot tell"}
"""Words of the column ``agreement``, by the answer to whether a claim holds. A preview cannot tell, nor can runs of
fewer than `FEWEST` seeds."""
FEWEST = 3
"""The spread of two seeds is known so badly that a verdict on them is likely to change with the next one."""


def numbers_of_claims(runs: SuiteRuns, judged: Sequence[Judged]) -> Numbers:
    """Return the numbers of the claims of a suite at one size.

    Args:
        runs: the runs of the suite.
        judged: its claims.
    """
    lines = [
        Line(method=name, note=_note(each), numbers=dict(_numbers(each, quick=runs.quick)))
        for name, each in zip(claim_names(judged), judged, strict=True)
    ]
    return Numbers(
        name=f"claims of {runs.suite.name}, {runs.size}",
        short="",
        quick=runs.quick,
        columns=COLUMNS,
        lines=tuple(lines),
        of="claim",
    )


def claim_names(judged: Sequence[Judged]) -> list[str]:
    """Return the name of each claim: its contrast in characters of a keyboard, ``mmnist2: td - single``.

    Where two claims have one contrast, the direction that is claimed stands behind it.
    """
    names = [each.words.replace("\N{MINUS SIGN}", "-").replace("Δm", "delta-m") for each in judged]
    count = Counter(names)
    return [
        f"{name}, {each.claim.direction}" if count[name] > 1 else name for name, each in zip(names, judged, strict=True)
    ]


def _numbers(each: Judged, *, quick: bool) -> Iterator[tuple[str, Number]]:
    ours, digits = each.ours, decimals([each.ours.difference], each.unit)
    if not math.isnan(ours.difference):
        says = signed(ours.difference, digits)
        difference = Number(value=ours.difference, says=says, interval=_ends(ours.interval(), digits), n=ours.n)
        yield "difference", replace(difference, marks=each.marks)
    interval = ours.interval()
    yield "interval", Number(says=DASH if interval is None else span(interval, digits), n=ours.n, marks=each.marks)
    yield "n", Number(value=ours.n, says=counted(each), n=ours.n)
    if each.paper is not None:
        value = each.paper.difference
        yield "paper", Number(value=value, says=signed(value, digits), interval=_ends(each.paper.interval(), digits))
    if each.claim.margin:
        yield "margin", Number(value=each.claim.margin, says=f"{each.claim.margin:g}")
    if not math.isnan(each.adjusted.difference):
        value = each.adjusted.difference
        yield "p", Number(value=value, says=p_value(value), n=ours.n, marks=each.marks)
    agreement = AGREEMENT["open" if quick or ours.n < FEWEST else each.holds]
    for name, word in (("verdict", short_verdict(each)), ("agreement", agreement)):
        yield name, Number(says=word, n=ours.n, marks=each.marks)


def _ends(interval: tuple[float, float] | None, digits: int) -> tuple[str, str] | None:
    return None if interval is None else (signed(interval[0], digits), signed(interval[1], digits))


def _note(each: Judged) -> str:
    meanings = [MARKS[mark][1] for mark in each.marks]
    return f"{each.words}: {', '.join(meanings)}." if meanings else ""
