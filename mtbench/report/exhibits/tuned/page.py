"""The table of methods with tuned settings, beside their defaults."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from mtbench.report import marks, text
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.kept.runs import kept_notes
from mtbench.report.data.studies import unfinished
from mtbench.report.data.unlike import differences
from mtbench.report.exhibits.tuned.data import Tuned, refused, tuned_gains
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import STALE, trained
from mtbench.report.page.words import DASH, plain, written
from mtbench.stats.ranking import kendall_tau
from mtbench.stats.summary import Summary, summarize
from mtbench.store.record import TaskInfo

__all__ = ["tuned_page"]

_TEST = "p: paired t-test after Holm's correction over the methods whose default was not the best. "


def tuned_page(comparison: Comparison, methods: Sequence[Tuned], label: str) -> Page:
    """Return the table in words: defaults, what was chosen, what it brings and what the search took."""
    task = methods[0].study.study.tasks[0]
    means = [value for each in methods for value in (each.default, each.tuned)]
    digits = text.decimals([float(np.nanmax(v)) for v in means if np.isfinite(v).any()], task.unit)
    why, gains = refused(methods), tuned_gains(comparison, methods)
    compared = [] if why else ["tuned", "gain", "p", *(["Δm ↑"] if gains else [])]
    header = ("method", "default", *compared, "chosen", "trials", "epochs")
    each_gain: Sequence[Summary | None] = gains or [None] * len(methods)
    lines = [
        plain(_cells(each, digits, gain, is_compared=not why)) for each, gain in zip(methods, each_gain, strict=True)
    ]
    records = [
        run.record for each in methods for runs in each.study.again.values() for run in runs if run.record is not None
    ]
    seeds = sorted({record.spec.seed for record in records})
    return Page(
        title=f"{comparison.dataset_title}, protocol {comparison.title}: tuned settings",
        label=label,
        quick=comparison.quick,
        layout=Layout(header=header, lines=tuple(lines), tasks=0, costs=2),
        caption=(
            f"{comparison.dataset_title}, protocol {comparison.title}: mean test {task.metric} over tasks "
            f"({_direction(task)}), with default {'settings' if why else 'and with tuned settings'}, mean ± standard "
            f"deviation over {text.seeds(seeds) if seeds else 'no seed yet'}.",
            *([] if why else ["Gain: tuned minus default, paired over seeds, with its 95 % confidence interval."]),
            *(["Δm: gain over single-task networks with tuned settings, in %."] if gains else []),
        ),
        details=(
            trained(comparison, records),
            *(differences(records) if records else ()),
            *_searched(methods),
            "Default and chosen settings are retrained on all training images. "
            f"{'' if why else _TEST}Standard deviations have the divisor n-1.",
            "Trials: finished trials, with failed ones after a plus; epochs: training epochs of all trials.",
        ),
        footnotes=(
            *_footnotes(methods, why, has_gains=gains is not None),
            *kept_notes(_tuned_runs(comparison, methods)),
        ),
    )


def _cells(each: Tuned, digits: int, delta: Summary | None, *, is_compared: bool) -> Iterator[str]:
    yield each.label + marks.STALE * each.study.stale
    yield written(summarize(each.default), digits)
    if is_compared:
        yield written(summarize(each.tuned), digits)
        known = each.gain is not None and not math.isnan(each.gain.difference)
        yield text.difference(each.gain.difference, each.gain.interval(), digits) if each.gain and known else DASH
        yield DASH if math.isnan(each.adjusted) else text.p_value(each.adjusted)
    if delta:
        yield written(delta, sign=True)
    yield each.setting or DASH
    states = [trial.state for trial in each.study.study.trials]
    yield str(states.count("done")) + (f"+{states.count('failed')}" if "failed" in states else "")
    yield f"{each.study.study.spent.epochs:,}"


def _tuned_runs(comparison: Comparison, methods: Sequence[Tuned]) -> Comparison:
    """Return the runs of the table in the places of those with default settings."""
    return replace(comparison, methods=tuple(MethodRuns(title=each.title, runs=each.study.tuned) for each in methods))


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


def _footnotes(methods: Sequence[Tuned], why: str, *, has_gains: bool) -> Iterator[str]:
    if why:
        yield (
            f"No tuned column, for the budgets of the searches are unequal: {why}. Search every method with the same "
            "numbers of trials and tuning seeds."
        )
    elif not has_gains:
        yield "No Δm: it needs single-task networks that were tuned with the same budget."
    for each in methods:
        yield from (f"{each.title}: {told[0].lower()}{told[1:]}" for told in unfinished(each.study.study))
    yield from () if why else _order(methods)
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
