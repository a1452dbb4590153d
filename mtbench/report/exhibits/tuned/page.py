"""Methods with settings that a search chose on the validation split, beside their defaults."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mtbench.report import text
from mtbench.report.data.comparison import Comparison
from mtbench.report.data.studies import StudyRuns, setting, unfinished
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import STALE, trained
from mtbench.report.page.words import DASH, plain, written
from mtbench.stats.contrast import Contrast, holm, paired
from mtbench.stats.ranking import kendall_tau
from mtbench.stats.summary import summarize
from mtbench.store.record import TaskInfo

__all__ = ["Tuned", "best_so_far", "tuned_frame", "tuned_methods", "tuned_page"]


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
    def setting(self) -> str:
        """The setting that was chosen, in words."""
        if self.chosen is None:
            return DASH
        words = setting(self.study.study.trials[self.chosen])
        return f"{words} (default)" if self.chosen == 0 else words


def tuned_methods(studies: Sequence[StudyRuns]) -> list[Tuned]:
    """Return the methods of studies of one dataset and protocol with the mean over tasks as their objective."""
    named = [found.title for found in studies]
    seeds = sorted({seed for found in studies for seed in found.seeds})
    parts = []
    for found, title in zip(studies, named, strict=True):
        best = [number for number in found.study.chosen if number] or list(found.study.chosen)
        default = found.scores(0, seeds).mean(axis=1)
        chosen = best[0] if best else None
        tuned = np.full_like(default, np.nan) if chosen is None else found.scores(chosen, seeds).mean(axis=1)
        full = f"{title} [{found.study.id}]" if named.count(title) > 1 else title
        parts.append((full, found, chosen, default, tuned, paired(tuned, default) if chosen else None))
    adjusted = holm([math.nan if gain is None else gain.p for *_, gain in parts])
    return [
        Tuned(title=title, study=found, chosen=chosen, default=default, tuned=tuned, gain=gain, adjusted=float(p))
        for (title, found, chosen, default, tuned, gain), p in zip(parts, adjusted, strict=True)
    ]


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


def tuned_page(comparison: Comparison, methods: Sequence[Tuned], label: str) -> Page:
    """Return the table in words: defaults, what was chosen, what it brings and what the search took."""
    task = methods[0].study.study.tasks[0]
    header = ("method", "default", "tuned", "gain", "p", "chosen", "trials", "epochs")
    means = [value for each in methods for value in (each.default, each.tuned)]
    digits = text.decimals([float(np.nanmax(v)) for v in means if np.isfinite(v).any()], task.unit)
    records = [
        run.record for each in methods for runs in each.study.again.values() for run in runs if run.record is not None
    ]
    seeds = sorted({record.spec.seed for record in records})
    return Page(
        title=f"{comparison.dataset_title}, protocol {comparison.title}: tuned settings",
        label=label,
        quick=comparison.quick,
        layout=Layout(header=header, lines=tuple(plain(_cells(each, digits)) for each in methods), tasks=0, costs=2),
        caption=(
            f"{comparison.dataset_title}, protocol {comparison.title}: mean test {task.metric} over tasks "
            f"({_direction(task)}), with default and with tuned settings, mean ± standard deviation over "
            f"{text.seeds(seeds) if seeds else 'no seed yet'}.",
            "Gain: tuned minus default, paired over seeds, with its 95 % confidence interval.",
        ),
        details=(
            trained(comparison, records),
            *_searched(methods),
            "Default and chosen settings are retrained on all training images. p: paired t-test after Holm's "
            "correction over the methods whose default was not the best. Standard deviations have the divisor n-1.",
            "Trials: finished trials, with failed ones after a plus; epochs: training epochs of all trials.",
        ),
        footnotes=tuple(_footnotes(methods)),
    )


def tuned_frame(comparison: Comparison, methods: Sequence[Tuned]) -> pd.DataFrame:
    """Return a line per method, column (task or ``mean``) and setting (``default``, ``tuned``), at full precision."""
    lines = []
    for each in methods:
        study = each.study.study
        seeds = each.study.seeds
        gain = each.gain.interval() if each.gain else None
        for name, number in (("default", 0), ("tuned", each.chosen)):
            if number is None or number >= len(study.trials):
                continue
            trial, scores = study.trials[number], each.study.scores(number, seeds)
            columns = [
                *((task.name, scores[:, at]) for at, task in enumerate(study.tasks)),
                ("mean", scores.mean(axis=1)),
            ]
            for column, values in columns:
                summary = summarize(values)
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
                        "gain": each.gain.difference if each.gain and column == "mean" else None,
                        "gain95_low": gain[0] if gain and column == "mean" else None,
                        "gain95_high": gain[1] if gain and column == "mean" else None,
                        "p_holm": None if math.isnan(each.adjusted) or column != "mean" else each.adjusted,
                        "trials": study.spent.trials,
                        "epochs": study.spent.epochs,
                    }
                )
    return pd.DataFrame(lines)


def _cells(each: Tuned, digits: int) -> Iterator[str]:
    yield each.title + "†" * each.study.stale
    yield written(summarize(each.default), digits)
    yield written(summarize(each.tuned), digits)
    known = each.gain is not None and not math.isnan(each.gain.difference)
    yield text.difference(each.gain.difference, each.gain.interval(), digits) if each.gain and known else DASH
    yield DASH if math.isnan(each.adjusted) else text.p_value(each.adjusted)
    yield each.setting
    states = [trial.state for trial in each.study.study.trials]
    yield str(states.count("done")) + (f"+{states.count('failed')}" if "failed" in states else "")
    yield f"{each.study.study.spent.epochs:,}"


def _direction(task: TaskInfo) -> str:
    return f"{task.unit and f'{task.unit}, '}{'higher' if task.higher_is_better else 'lower'} is better"


def _searched(methods: Sequence[Tuned]) -> Iterator[str]:
    first = methods[0].study.study
    spaces = {tuple(sorted(each.study.study.space.items())) for each in methods}
    what = ", ".join(f"{name} ({values})" for name, values in first.space.items())
    samplers = text.listed(sorted({each.study.study.sampler for each in methods}))
    tuning = sorted({seed for each in methods for seed in each.study.study.tuning_seeds})
    yield (
        f"Searched: {what if len(spaces) == 1 else 'the settings of each method'}; trials proposed by {samplers}, with "
        f"tuning {text.seeds(tuning)}; chosen: best mean over tasks on the validation split."
    )


def _footnotes(methods: Sequence[Tuned]) -> Iterator[str]:
    budgets = {(each.study.study.spent.trials, each.study.study.spent.epochs) for each in methods}
    if len(budgets) > 1:
        yield (
            "Budgets are unequal, so that gains are not comparable: trials and epochs count the training that was done."
        )
    for each in methods:
        yield from (f"{each.title}: {told[0].lower()}{told[1:]}" for told in unfinished(each.study.study))
    yield from _order(methods)
    if any(each.study.stale for each in methods):
        yield STALE


def _order(methods: Sequence[Tuned]) -> Iterator[str]:
    """Say whether methods stand in the same order with their defaults as tuned, by Kendall's tau of their means."""
    known = [each for each in methods if np.isfinite(each.default).any() and np.isfinite(each.tuned).any()]
    if len(known) < 3:
        return
    sign = 1 if known[0].study.study.tasks[0].higher_is_better else -1
    before = [sign * float(np.nanmean(each.default)) for each in known]
    after = [sign * float(np.nanmean(each.tuned)) for each in known]
    tau = float(kendall_tau(before, after))
    if math.isnan(tau):
        return
    first, last = (known[int(np.argmax(values))].title for values in (before, after))
    best = f"{first} is first in both" if first == last else f"{first} is first by default, {last} once tuned"
    same = "The order of methods is the same" if tau > 1 - 1e-9 else "Tuning changes the order of methods"
    tau_of = f"Kendall's tau of {len(known)} means {text.signed(tau)}"
    yield f"{same}: {tau_of}; {best}. The spread over seeds is not part of it."
