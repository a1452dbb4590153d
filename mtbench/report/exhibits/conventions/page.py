"""The exhibit of conventions: how far each switch moves Δm, and the order of methods, on the same runs."""

import math
from collections.abc import Iterator

import pandas as pd

from mtbench.report import marks
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.conventions.data import Switch, Switched
from mtbench.report.exhibits.conventions.moved import Moved
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.suite import warnings
from mtbench.report.page.words import DASH, plain, written
from mtbench.report.text import counts, fixed

__all__ = ["conventions_frame", "conventions_page"]

_COLUMNS = [
    *("suite", "size", "dataset", "group", "switch", "method", "n", "delta_m", "std", "t95_low", "t95_high", "rank"),
    *("largest_change", "spread", "change_in_spreads", "kendall_tau"),
    *("pairs", "reversed_pairs", "significant_reversed_pairs", "chosen_on_test"),
]


def conventions_page(runs: SuiteRuns, found: Switched, titles: dict[str, str], label: str) -> Page:
    """Return a row per method, a column per switch; below what each switch changes."""
    lines = [plain((title, *(_cell(switch, method) for switch in found.switches))) for method, title in titles.items()]
    moves = [switch.moved for switch in found.switches]
    seeds = (counts([switch.gains[name].n for name in titles if name in switch.gains]) for switch in found.switches)
    return Page(
        title=f"{runs.suite.name}: {found.dataset} by other conventions, size {runs.size}",
        label=label,
        quick=runs.quick,
        layout=Layout(
            header=("method", *(_head(switch) for switch in found.switches)),
            lines=(
                *lines,
                plain(("largest change", *(_known(moved.change) for moved in moves))),
                plain(("in spreads", *(_known(moved.spreads) for moved in moves))),
                plain(("tau", *(_known(moved.tau) for moved in moves))),
                plain(("reversed", *map(_reversed, moves))),
                plain(("n", *seeds)),
            ),
            tasks=len(found.switches),
            costs=0,
        ),
        caption=(
            f"Δm (gain, %) on {found.dataset} by convention, mean ± standard deviation over seeds; in brackets: rank "
            "by the unrounded mean, without single-task networks.",
        ),
        details=(
            f"Suite {runs.suite.name}, size {runs.size}{found.common and f', {found.common}'}.",
            "None: metrics after the last epoch over all test examples, averaged over each task's metrics and then "
            "over tasks, relative to the single-task run with the same seed. Every other column changes one rule; "
            "rules of the training need runs of their own. A convention has all rules of published code except its "
            "training.",
            *_explained(found),
            "Largest change: of a method's mean Δm, in points. In spreads: the same divided by the standard deviation "
            f"over seeds of Δm in column none, pooled over the ranked methods{_spread(found.spread)}. Tau: Kendall's "
            "tau with the order of methods in column none. Reversed: pairs of methods whose means are in the other "
            "order than in column none, of all pairs; in brackets: those of them that differ significantly in either "
            "column (paired t-test over seeds, 5 % after Holm's correction over all pairs).",
        ),
        footnotes=(*_lacking(found), *warnings(titles.values())),
    )


def _explained(found: Switched) -> Iterator[str]:
    if any(switch.chosen for switch in found.switches):
        yield (
            f"{marks.CHOSEN}: epochs are chosen on the test split; such numbers are too good, and are compared with "
            "none of another column."
        )


def _lacking(found: Switched) -> Iterator[str]:
    """Sentences on numbers that are lacking, with the switches that they lack in."""
    groups: dict[str, list[str]] = {}
    for switch in found.switches:
        for sentence in switch.lacking:
            groups.setdefault(sentence, []).append(_head(switch))
    for sentence, heads in groups.items():
        yield f"{', '.join(heads)}: {sentence[0].lower()}{sentence[1:]}"


def _head(switch: Switch) -> str:
    name = f"{switch.group} {switch.name}".strip()
    return f"{name}{marks.CHOSEN * switch.chosen}"


def _cell(switch: Switch, method: str) -> str:
    gain = switch.gains.get(method)
    if gain is None or not gain.n:
        return DASH
    rank = switch.ranks.get(method)
    return written(gain, sign=True) + ("" if rank is None else f" ({rank:g})")


def _spread(value: float) -> str:
    return "" if math.isnan(value) else f", {fixed(value)} points"


def _reversed(moved: Moved) -> str:
    if not moved.pairs:
        return DASH
    significant = "" if moved.significant is None else f" ({moved.significant})"
    return f"{moved.reversed}/{moved.pairs}{significant}"


def _known(value: float) -> str:
    return DASH if math.isnan(value) else fixed(value)


def conventions_frame(runs: SuiteRuns, found: Switched) -> pd.DataFrame:
    """Return one row per switch and method, at full precision."""
    rows = []
    for switch in found.switches:
        for method, gain in switch.gains.items():
            low, high = gain.interval or (None, None)
            rows.append(
                {
                    "suite": runs.suite.name,
                    "size": runs.size,
                    "dataset": found.dataset,
                    "group": switch.group,
                    "switch": switch.name,
                    "method": method,
                    "n": gain.n,
                    "delta_m": gain.mean if gain.n else None,
                    "std": gain.std,
                    "t95_low": low,
                    "t95_high": high,
                    "rank": switch.ranks.get(method),
                    "largest_change": _number(switch.moved.change),
                    "spread": _number(found.spread),
                    "change_in_spreads": _number(switch.moved.spreads),
                    "kendall_tau": _number(switch.moved.tau),
                    "pairs": switch.moved.pairs,
                    "reversed_pairs": switch.moved.reversed,
                    "significant_reversed_pairs": switch.moved.significant,
                    "chosen_on_test": switch.chosen,
                }
            )
    return pd.DataFrame(rows, columns=_COLUMNS)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
