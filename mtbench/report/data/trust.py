"""Levels of trust of the runs of a table, in a sentence."""

import re
from collections.abc import Iterator, Sequence

from mtbench.report.data.comparison import MethodRuns
from mtbench.report.text import listed, seeds
from mtbench.store.status import RunStatus
from mtbench.store.trust import LEVELS, RECOMPUTED, REEXECUTED, REPORTED

__all__ = ["trust_sentence", "without_levels"]

_WRITTEN = re.compile(
    r'\s*<span class="level">[^<]*</span>|\s*Level of trust: .*?\. (?:Recomputed|Re-executed): .*?\.(?=\s|<|\\|$)'
)
"""Levels in the page of a report, and the sentence on them in any file."""
_MEANINGS = {
    RECOMPUTED: "every metric was derived again from stored predictions and labels",
    REEXECUTED: "retrained with an equal result",
}


def trust_sentence(methods: Sequence[MethodRuns]) -> str:
    """Return the levels of trust of the runs of methods; empty if all are only reported.

    Example: ``Level of trust: 12 of 15 runs recomputed (moo, td: all; single: 2 of 5), 1 re-executed (td seed 3).``
    """
    finished = {method.title: [run for run in method.runs if run.record is not None] for method in methods}
    every = [run for runs in finished.values() for run in runs]
    found = [level for level in reversed(LEVELS) if level != REPORTED and any(run.level == level for run in every)]
    if not found:
        return ""
    if _count(every, found[0]) == len(every):
        counted = [f"all {len(every)} runs {found[0]}"]
    else:
        counted = [f"{_count(every, level)} {level} ({_who(finished, level)})" for level in reversed(found)]
        counted[0] = counted[0].replace(" ", f" of {len(every)} runs ", 1)
    meanings = "; ".join(f"{level}: {_MEANINGS[level]}" for level in reversed(found))
    return f"Level of trust: {', '.join(counted)}. {meanings[0].upper()}{meanings[1:]}{_without(every)}."


def without_levels(text: str) -> str:
    """Return the text of a file of a report without levels of trust, on which readers of the same records differ."""
    return _WRITTEN.sub("", text)


def _count(runs: Sequence[RunStatus], level: str) -> int:
    return sum(run.level == level for run in runs)


def _who(finished: dict[str, list[RunStatus]], level: str) -> str:
    """Return the methods with runs of a level: those with all, then those with some; by seeds if retrained."""
    return "; ".join(_parts(finished, level))


def _parts(finished: dict[str, list[RunStatus]], level: str) -> Iterator[str]:
    whole = [title for title, runs in finished.items() if runs and _count(runs, level) == len(runs)]
    if whole:
        yield f"{', '.join(whole)}: all"
    for title, runs in finished.items():
        have = [run for run in runs if run.level == level]
        if title in whole or not have:
            continue
        if level == REEXECUTED:
            yield f"{title} {seeds(run.spec.seed for run in have)}"
        else:
            yield f"{title}: {len(have)} of {len(runs)}"


def _without(runs: Sequence[RunStatus]) -> str:
    """Return what was not derived, and what was compared by an interval, as the end of a sentence."""
    earned = [run.earned for run in runs if run.earned is not None and run.level != REPORTED]
    names = dict.fromkeys(name for each in earned for name in each.without)
    loose = sum(each.rerun == "interval" for each in earned)
    said = [f"; without {listed(names)}, which needs more than what is stored"] if names else []
    said += [f"; {loose} of the runs retrained by the prediction interval of the seeds"] if loose else []
    return "".join(said)
