"""Tables of runs that add a task to a trained network."""

import numpy as np
import pandas as pd

from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.adding.data import Added, Addition
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import over_seeds, reported
from mtbench.report.page.suite import warnings
from mtbench.report.page.words import DASH, Words, plain, written
from mtbench.report.text import decimals, difference, listed
from mtbench.stats.summary import summarize

__all__ = ["adding_frame", "adding_page"]

_COLUMNS = [
    *("suite", "size", "dataset", "fixed", "method", "mode", "seed", "new_task", "metric", "unit"),
    *("old_tasks", "new", "old", "split", "old_before", "old_after", "change", "new_at_once", "old_at_once"),
    *("parameters_trained", "weights_trained", "epochs_after"),
]


def adding_page(runs: SuiteRuns, addition: Addition, label: str) -> Page:
    """Return a row per method and way of adding: the new task, the old ones before, after and their change, what was
    trained; and beside them the same of runs that had all tasks from the start, where there are some."""
    at_once = any(np.isfinite(each.at_once).any() for each in addition.methods)
    new = addition.task.name
    header: tuple[str, ...] = ("method", new, "old before", "old after", "change", "trained", "n")
    header += (f"{new} at once", "old at once") if at_once else ()
    title = f"{runs.suite.name}: task {new} added on {addition.words}, size {runs.size}"
    old = listed(task.name for task in addition.old)
    unit = f" in {addition.task.unit}" if addition.task.unit else ""
    over = over_seeds(each.finished for each in addition.methods)
    split = "validation" if addition.split == "val" else addition.split
    return Page(
        title=title,
        label=label,
        quick=runs.quick,
        layout=Layout(
            header=header,
            lines=tuple(_line(each, addition, at_once) for each in addition.methods),
            tasks=len(header) - 1,
            costs=0,
        ),
        caption=(
            f"{new} added to networks trained on {old}: test {addition.task.metric}{unit}{over}.",
            "Own: only the task-specific parameters of the new task are trained further; all: all parameters, on all "
            "tasks.",
        ),
        details=(
            f"Suite {title}.",
            f"Training continues for as many epochs as before the addition. {new} is measured {reported(())}.",
            f"Old before and after: mean over {old} on the {split} split at the addition of {new} and at the end; "
            "change: after minus before within each run, with its 95 % confidence interval."
            if addition.alike
            else f"{old.capitalize()} have unlike metrics, and so no mean.",
            "Trained: number of parameters that were trained after the addition, with biases.",
            *(["At once: runs of the same seeds that had all tasks from the start."] if at_once else []),
            "Standard deviations have the divisor n-1.",
        ),
        footnotes=warnings(each.title for each in addition.methods),
    )


def _line(added: Added, addition: Addition, at_once: bool) -> tuple[Words, ...]:
    new, old = addition.task, addition.old[0]
    news = [summarize(each.new) for each in addition.methods]
    olds = [summarize(each.after) for each in addition.methods]
    digits = decimals([each.mean for each in news if each.n], new.unit)
    old_digits = decimals([each.mean for each in olds if each.n], old.unit)

    def of_new(values: np.ndarray) -> str:
        return written(summarize(values), digits)

    def of_old(values: np.ndarray) -> str:
        return written(summarize(values), old_digits) if addition.alike else DASH

    change = summarize(added.change)
    says = [
        f"{added.title}, {added.mode}",
        of_new(added.new),
        of_old(added.before),
        of_old(added.after),
        difference(change.mean, change.interval, old_digits) if change.n and addition.alike else DASH,
        f"{added.phase.parameters:,}" if added.phase else DASH,
        str(added.finished) if added.finished >= addition.planned else f"{added.finished}/{addition.planned}",
    ]
    if at_once:
        says += [of_new(added.at_once), of_old(added.old_at_once)]
    return plain(says)


def adding_frame(runs: SuiteRuns, addition: Addition) -> pd.DataFrame:
    """Return one row per method, way of adding and seed, at full precision."""
    rows = [
        {
            "suite": runs.suite.name,
            "size": runs.size,
            "dataset": addition.dataset,
            "fixed": ", ".join(f"{name}={value}" for name, value in addition.fixed),
            "method": each.method,
            "mode": each.mode,
            "seed": seed,
            "new_task": addition.task.name,
            "metric": addition.task.metric,
            "unit": addition.task.unit,
            "old_tasks": "/".join(task.name for task in addition.old),
            "new": each.new[place],
            "new_at_once": each.at_once[place],
            **(_old(each, place) if addition.alike else {}),
            "split": addition.split,
            "parameters_trained": each.phase.parameters if each.phase else None,
            "weights_trained": each.phase.weights if each.phase else None,
            "epochs_after": each.phase.epochs if each.phase else None,
        }
        for each in addition.methods
        for place, seed in enumerate(each.seeds)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _old(added: Added, place: int) -> dict[str, float]:
    return {
        "old": added.old[place],
        "old_before": added.before[place],
        "old_after": added.after[place],
        "change": added.change[place],
        "old_at_once": added.old_at_once[place],
    }
