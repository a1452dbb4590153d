"""Tables of test errors at equal training loss, and of the gap between test and training loss."""

import math
from collections.abc import Iterator

import pandas as pd

from mtbench.report.data.frame import held_out_split
from mtbench.report.data.generalization.equal_loss import UNLIKE, is_share
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.gap.data import Compared, Gaps, Row
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import over_seeds, reported
from mtbench.report.page.suite import called, warnings
from mtbench.report.page.words import DASH, Words, plain, written
from mtbench.report.text import decimals, difference, listed, ratio
from mtbench.stats.contrast import Contrast
from mtbench.stats.summary import summarize
from mtbench.store.record import TaskInfo

__all__ = ["error_words", "gaps_frame", "gaps_page", "unlike_words"]

_COLUMNS = [
    *("suite", "size", "dataset", "variation", "task", "method", "seed", "metric", "split", "level"),
    *("error_at_equal_loss", "error", "training_loss", "test_loss", "gap", "mode_ratio"),
]
_LOSS = 4
"""Decimals of losses."""


def gaps_page(runs: SuiteRuns, found: Gaps) -> Page:
    """Return a row per task and method: its error at equal training loss, and what it ends with."""
    sheet, titles = found.sheet, called(runs.suite, [found.sheet])
    split, single = held_out_split(sheet.comparison), titles.get(found.single, "")
    where = "test" if split == "test" else "validation"
    counted = {summarize(row.final).n for part in found.shown for row in part.rows}
    short = counted != {sheet.planned}
    header = ("method, task", "equal loss", "difference", "final", "training loss", "gap", *(["n"] * short))
    return Page(
        title=f"{runs.suite.name}: {sheet.comparison.dataset}, protocol {sheet.comparison.title}, "
        "error over training loss",
        label=f"{runs.stem(sheet)}-gap",
        quick=runs.quick,
        layout=Layout(
            header=header,
            lines=tuple(line[: len(header)] for part in found.shown for line in _lines(part, titles, sheet.planned)),
            tasks=len(header) - 1,
            costs=0,
        ),
        caption=(
            f"{sheet.comparison.dataset}, protocol {sheet.comparison.title}: {where} error at equal training loss, "
            f"final test error, and gap between test and training loss{over_seeds(counted - {0})}."
            + (
                f" Difference: at equal loss from {single}, paired over seeds, with its 95 % interval."
                if single
                else ""
            ),
        ),
        details=(
            f"Suite {runs.suite.name}: {runs.suite.title}.",
            f"Equal loss: {error_words(found.parts[0].task, where)} at one training loss of the task for all methods "
            "of a seed: the largest of the lowest training losses that they reach on the curve. Between the points of "
            "a curve it is interpolated linearly in the logarithm of the training loss, over the points with a lower "
            f"loss than all points before; nothing is extrapolated.{_levels(found)}",
            "The training loss of a curve is the mean over the labels used in that epoch, in training mode and while "
            "the weights change, without weights of tasks and auxiliary losses.",
            "Final: on the test split, with the reported weights. Training loss: of these weights in evaluation mode, "
            "without weights of tasks, over up to 10,000 training examples. Gap: the test loss, likewise, minus this "
            "training loss.",
            f"Reported are weights {reported([sheet.comparison.protocol])}.",
            *(["Mean: the mean over tasks within each run."] if len(found.parts) > 1 else []),
            *([f"Of {len(found.parts) - 1} tasks the mean is here; each is in the .csv file."] * _cut(found)),
        ),
        footnotes=(*unlike_words(found, titles), *warnings(titles.values())),
    )


def error_words(task: TaskInfo, where: str) -> str:
    """Return the error of a task in words, on a split."""
    return f"{where} error (100 - {task.metric}, %)" if is_share(task) else f"{where} metric of the task"


def unlike_words(found: Gaps, titles: dict[str, str]) -> Iterator[str]:
    """Yield a sentence on the methods whose training losses cannot be compared, if there are any."""
    if found.unlike:
        named = listed(f"{titles[name]} ({ratio(each)})" for name, each in found.unlike.items())
        yield (
            "Not compared at equal training loss, because their loss in training mode is more than "
            f"{UNLIKE:g} times that of the same weights in evaluation mode, or less than 1/{UNLIKE:g}, as dropout "
            f"makes it: {named}."
        )


def _lines(part: Compared, titles: dict[str, str], planned: int) -> Iterator[tuple[Words, ...]]:
    unit = part.task.unit
    rows = {row.method: row for row in part.rows}
    digits = decimals([value for row in part.rows for value in row.final if not math.isnan(value)], unit)
    for name, title in titles.items():
        row = rows[name]
        finished = summarize(row.final).n
        yield plain(
            (
                f"{title}, {part.column}",
                written(summarize(row.equal), digits),
                _against(row.against, digits),
                written(summarize(row.final), digits),
                written(summarize(row.train), _LOSS),
                written(summarize(row.gap), _LOSS, sign=True),
                str(finished) if finished >= planned else f"{finished}/{planned}",
            )
        )


def _against(contrast: Contrast | None, digits: int) -> str:
    return difference(contrast.difference, contrast.interval(), digits) if contrast and contrast.n else DASH


def _levels(found: Gaps) -> str:
    known = [f"{part.column} {written(summarize(part.levels), _LOSS)}" for part in found.shown]
    return f" These losses: {listed(known)}."


def _cut(found: Gaps) -> bool:
    return len(found.shown) < len(found.parts)


def gaps_frame(runs: SuiteRuns, found: Gaps) -> pd.DataFrame:
    """Return one row per task, method and seed, at full precision."""
    sheet = found.sheet
    rows = [
        {
            "suite": runs.suite.name,
            "size": runs.size,
            "dataset": sheet.dataset,
            "variation": ", ".join(f"{name}={value}" for name, value in sheet.variation),
            "task": part.column,
            "method": row.method,
            "seed": seed,
            "metric": part.task.metric,
            "split": held_out_split(sheet.comparison),
            "mode_ratio": _number(found.ratios[row.method]),
            **_values(part, row, place),
        }
        for part in found.parts
        for row in part.rows
        for place, seed in enumerate(sheet.comparison.seeds)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _values(part: Compared, row: Row, place: int) -> dict[str, float | None]:
    return {
        "level": _number(part.levels[place]),
        "error_at_equal_loss": _number(row.equal[place]),
        "error": _number(row.final[place]),
        "training_loss": _number(row.train[place]),
        "test_loss": _number(row.test[place]),
        "gap": _number(row.gap[place]),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
