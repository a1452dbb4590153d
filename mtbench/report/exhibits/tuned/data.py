"""Methods with settings that a search chose on the validation split, beside their defaults."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.cost.budget import unequal
from mtbench.report.data.gains.relative import deltas, single_task_runs
from mtbench.report.data.kept.runs import KEPT
from mtbench.report.data.studies import StudyRuns, setting
from mtbench.stats.contrast import Contrast, holm, paired
from mtbench.stats.summary import Summary, summarize

__all__ = ["Tuned", "best_so_far", "refused", "tuned_frame", "tuned_gains", "tuned_methods"]


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """A method, at its default and at what was chosen for it.

    Attributes:
        title: its name for people; unique within one table.
        study: the search.
        chosen: the number of the trial that was best; None before anything was chosen.
        default: (S,) by seed the mean over tasks of the test metric at the default, NaN where there is no run.
        tuned: (S,) likewise at what was chosen, which may be the default.
        gain: tuned minus default, paired over seeds; None where the default was chosen, or nothing yet.
        adjusted: its p after Holm's correction over the methods of the table; NaN without one.
    """

    title: str
    study: StudyRuns
    chosen: int | None
    default: NDArray[np.float64]
    tuned: NDArray[np.float64]
    gain: Contrast | None
    adjusted: float

    @property
    def label(self) -> str:
        """Its name in tables and figures, with a word behind it if it is of a kept pack."""
        return f"{self.title}{KEPT if self.study.origin else ''}"

    @property
    def setting(self) -> str:
        """The setting that was chosen, in words; empty before anything was chosen."""
        if self.chosen is None:
            return ""
        words = setting(self.study.study.trials[self.chosen])
        return f"{words} (default)" if self.chosen == 0 else words


def tuned_methods(studies: Sequence[StudyRuns]) -> list[Tuned]:
    """Return the methods of studies of one dataset and protocol with the mean over tasks as their objective."""
    named = [found.title for found in studies]
    seeds = sorted({seed for found in studies for seed in found.seeds})
    parts = []
    for found, title in zip(studies, named, strict=True):
        default, chosen = found.scores(0, seeds).mean(axis=1), found.chosen
        tuned = np.full_like(default, np.nan) if chosen is None else found.scores(chosen, seeds).mean(axis=1)
        full = f"{title} [{found.study.id}]" if named.count(title) > 1 else title
        parts.append((full, found, chosen, default, tuned, paired(tuned, default) if chosen else None))
    adjusted = holm([math.nan if gain is None else gain.p for *_, gain in parts])
    return [
        Tuned(title=title, study=found, chosen=chosen, default=default, tuned=tuned, gain=gain, adjusted=float(p))
        for (title, found, chosen, default, tuned, gain), p in zip(parts, adjusted, strict=True)
    ]


def refused(methods: Sequence[Tuned]) -> str:
    """Return the budgets of the searches in words if they are unequal, so that tuned methods are not compared; else an
    empty text."""
    return unequal({each.title: each.study.study for each in methods})


def tuned_gains(comparison: Comparison, methods: Sequence[Tuned]) -> list[Summary] | None:
    """Return the summary of the Δm of each method with its chosen setting, over single-task networks with theirs.

    None if no single-task networks were searched and retrained with them, or if budgets are unequal.
    """
    retrained = [MethodRuns(title=each.title, runs=each.study.tuned) for each in methods if each.study.tuned]
    tuned = replace(comparison, tasks=methods[0].study.study.tasks, methods=tuple(retrained), tuned=True, reading=None)
    if refused(methods) or not retrained or single_task_runs(tuned) is None:
        return None
    found = dict(zip((method.title for method in retrained), deltas(tuned), strict=True))
    return [summarize(found.get(each.title, np.empty(0))) for each in methods]


def best_so_far(study: StudyRuns) -> list[float]:
    """Return by trial in their order the best mean over tasks on the validation split until then; NaN before the first.

    A trial that failed leaves it as it was; it ends before the first that is not finished.
    """
    better = max if study.study.tasks[0].higher_is_better else min
    best, values = math.nan, list[float]()
    for trial in study.study.trials:
        if trial.state == "asked":
            break
        if trial.values is not None:
            (value,) = study.study.score(trial.values)
            best = value if math.isnan(best) else better(best, value)
        values.append(best)
    return values


def tuned_frame(comparison: Comparison, methods: Sequence[Tuned]) -> pd.DataFrame:
    """Return a line per method, column (task, ``mean`` or ``delta_m``) and setting (``default``, ``tuned``), at full
    precision; without tuned settings where budgets are unequal."""
    lines, is_refused = list[dict[str, object]](), bool(refused(methods))
    gains: Sequence[Summary | None] = tuned_gains(comparison, methods) or [None] * len(methods)
    for each, delta in zip(methods, gains, strict=True):
        study = each.study.study
        seeds = each.study.seeds
        gain = each.gain.interval() if each.gain else None
        for name, number in (("default", 0), ("tuned", each.chosen)):
            if number is None or number >= len(study.trials) or (is_refused and name == "tuned"):
                continue
            trial, scores = study.trials[number], each.study.scores(number, seeds)
            columns = [
                *((task.name, summarize(scores[:, at])) for at, task in enumerate(study.tasks)),
                ("mean", summarize(scores.mean(axis=1))),
                *([("delta_m", delta)] if delta and name == "tuned" else []),
            ]
            for column, summary in columns:
                has_gain = column == "mean" and not is_refused
                tried = {**(trial.values or {}), "mean": study.score(trial.values)[0]} if trial.values else {}
                lines.append(
                    {
                        "dataset": comparison.dataset,
                        "protocol": comparison.title,
                        "study": study.id,
                        "method": each.title,
                        "setting": name,
                        "trial": number,
                        "asked": setting(trial),
                        "column": column,
                        "validation": tried.get(column),
                        "n": summary.n,
                        "mean": summary.mean if summary.n else None,
                        "std": summary.std,
                        "gain": each.gain.difference if each.gain and has_gain else None,
                        "gain95_low": gain[0] if gain and has_gain else None,
                        "gain95_high": gain[1] if gain and has_gain else None,
                        "p_holm": None if math.isnan(each.adjusted) or not has_gain else each.adjusted,
                        "trials": study.spent.trials,
                        "epochs": study.spent.epochs,
                    }
                )
    return pd.DataFrame(lines)
