"""Findings of a search over the tasks, as a table: the front's points, their volume, and the methods they dominate."""

import math
from collections.abc import Iterator, Sequence

from mtbench.report import text
from mtbench.report.data.studies import StudyRuns, unfinished
from mtbench.report.exhibits.pareto.data import BRIEF, Bounds, TradeOff
from mtbench.report.exhibits.pareto.rows import Row, smallest
from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import STALE, over_seeds, trained
from mtbench.report.page.words import DASH, Words, plain, task_head, written

__all__ = ["pareto_page"]


def pareto_page(found: StudyRuns, trade: TradeOff, rows: Sequence[Row], label: str) -> Page:
    """Return the table in words; a line in front of each block says what follows."""
    comparison, limits = trade.comparison, trade.bounds
    mixed = comparison.common_metric is None
    header = (
        "setting or method",
        *(task_head(task) if mixed else task.name for task in trade.tasks),
        *(["HV chance"] if limits.chance else []),
        *(["HV nadir"] if limits.ideal and limits.nadir else []),
        "on front",
        "n",
        "against the front",
        "p",
    )
    digits = [
        text.decimals([row.summaries[at].mean for row in rows if row.summaries and row.summaries[at].n], task.unit)
        for at, task in enumerate(trade.tasks)
    ]
    lines: list[tuple[Words, ...]] = []
    for block, head in _blocks(found).items():
        block_rows = [row for row in rows if row.block == block]
        if block_rows:
            lines.append(plain((head, *("" for _ in header[1:]))))
        lines += [plain(_cells(row, trade, limits, digits)) for row in block_rows]
    return Page(
        title=f"{comparison.dataset_title}, protocol {comparison.title}: search over {found.title}",
        label=label,
        quick=comparison.quick,
        layout=Layout(header=header, lines=tuple(lines), tasks=len(trade.tasks), costs=0),
        caption=_caption(found, trade, rows),
        details=tuple(_details(found, trade, limits)),
        footnotes=tuple(_footnotes(found, trade)),
        aside=" ".join(_aside(limits)),
    )


def _blocks(found: StudyRuns) -> dict[str, str]:
    network = found.study.network
    return {"points": "searched:", "kin": f"other methods on {network}:", "others": "other networks:"}


def _cells(row: Row, trade: TradeOff, limits: Bounds, digits: Sequence[int]) -> Iterator[str]:
    yield row.name
    if row.summaries:
        yield from (written(summary, places) for summary, places in zip(row.summaries, digits, strict=True))
    else:
        yield from (DASH for _ in trade.tasks)
    if limits.chance:
        yield _percent(row.chance)
    if limits.ideal and limits.nadir:
        yield _percent(row.nadir)
    yield DASH if row.share is None else f"{100 * row.share:.0f} %"
    yield str(row.n)
    yield from _verdict(row, trade)


def _verdict(row: Row, trade: TradeOff) -> tuple[str, str]:
    """In words, and the smallest p."""
    if row.point is not None and row.point.front:
        return "on it", DASH
    if row.verdict is None:
        return DASH, DASH
    least = smallest(row.verdict)
    if math.isnan(least):
        return "cannot be tested", DASH
    if row.verdict.by is None:
        return "not shown to be dominated", text.p_value(least)
    point = trade.front[row.verdict.by]
    called = point.name if len(point.name) <= BRIEF else f"trial {point.number}"
    return f"dominated by {called}", text.p_value(least)


def _percent(share: float | None) -> str:
    return DASH if share is None else f"{100 * share:.2f} %"


def _caption(found: StudyRuns, trade: TradeOff, rows: Sequence[Row]) -> tuple[str, ...]:
    comparison = trade.comparison
    (metric, unit), *others = {(task.metric, task.unit) for task in trade.tasks}
    quantity = "metrics" if others else f"{metric} ({unit})" if unit else metric
    return (
        f"{comparison.dataset_title}, protocol {comparison.title}: search over {found.title}. Test {quantity}"
        f"{over_seeds(row.n for row in rows if row.n)}.",
        "Front: the non-dominated trials on the validation split.",
    )


def _details(found: StudyRuns, trade: TradeOff, limits: Bounds) -> Iterator[str]:
    comparison = trade.comparison
    records = [run.record for runs in found.again.values() for run in runs if run.record is not None]
    yield trained(comparison, records)
    yield _searched(found)
    yield (
        "Front: the trials that no other trial dominates on the validation split. The test split, on which all numbers "
        "are measured, is not used to choose it. Standard deviations have the divisor n-1."
    )
    yield (
        "On front: fraction of bootstrap samples of the seeds in which the point is on the test split's front of all "
        "searched points."
    )
    yield from _volumes(trade, limits)
    if trade.front:
        count = len(trade.front)
        yield (
            "Dominated: worse in every task than one point of the front; p: largest p-value over tasks of one-sided "
            "t-tests (paired where each point shares two seeds with the method), and the smallest over points after "
            f"Holm's correction over the {count} points of the front."
            if count > 1
            else "Dominated: worse in every task than the one point of the front; p: largest p-value over tasks of "
            "one-sided t-tests (paired where they share two seeds)."
        )


def _searched(found: StudyRuns) -> str:
    """Say what a study searched, and how, in a sentence."""
    study = found.study
    space = ", ".join(f"{name} ({values})" for name, values in study.space.items())
    seeds = len(study.tuning_seeds)
    return (
        f"Searched: {space} of {found.title} on {study.backbone}, {study.finished} trials proposed by {study.sampler}, "
        f"of {seeds} tuning seed{'s' * (seeds != 1)} each."
    )


def _volumes(trade: TradeOff, limits: Bounds) -> Iterator[str]:
    if limits.ideal is None:
        yield "No hypervolumes: a task is measured neither in % nor as an error, so that there is no best value."
        return
    best = _named(trade, limits.ideal)
    yield f"HV: hypervolume of the means as a fraction of the box from a reference to the best values ({best})."
    if limits.chance:
        yield f"Chance: 100 % over the number of classes in the test split ({_named(trade, limits.chance)})."
    if limits.nadir:
        yield (
            f"Nadir: in each task the worst mean of all points and methods here ({_named(trade, limits.nadir)}), so "
            "that a point that is worst in a task has no volume."
        )


def _named(trade: TradeOff, values: Sequence[float]) -> str:
    return ", ".join(
        f"{task.name} {value:.{text.decimals([value], task.unit)}f}".rstrip("0").rstrip(".")
        for task, value in zip(trade.tasks, values, strict=True)
    )


def _aside(limits: Bounds) -> Iterator[str]:
    if limits.ideal is not None:
        references = [*(["chance"] if limits.chance else []), *(["the worst means here"] if limits.nadir else [])]
        box = f"the box from {' or '.join(references)} to the best"
        yield f"HV: hypervolume, as a fraction of {box}." * bool(references)
    yield "on front: fraction of bootstrap samples of the seeds. The front was found on the validation split."


def _footnotes(found: StudyRuns, trade: TradeOff) -> Iterator[str]:
    yield from unfinished(found.study)
    if found.study.chosen and not trade.rivals:
        yield "No method was run on this dataset with this protocol."
    if found.stale or any(method.stale for method in trade.comparison.methods):
        yield STALE.removeprefix("† ")  # no row bears the dagger
