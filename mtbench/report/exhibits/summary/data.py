"""The summary table of a comparison: per method and task a mean over seeds, and what is known of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from mtbench.report.data.choices import AVERAGES, BASES, DEFAULT, Choices, Convention
from mtbench.report.data.columns import Column, column_of, columns_of, scores
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.constant import Constants, constants_of, not_above
from mtbench.report.data.convergence import convergence_note, unconverged
from mtbench.report.data.cost.expense import Expense, Yardstick, expense, yardstick
from mtbench.report.data.gains.parts import large_parts, mean_parts, rounding_bands
from mtbench.report.data.gains.rank import rank
from mtbench.report.data.gains.rank_intervals import Ranked, rank_intervals
from mtbench.report.data.gains.relative import deltas, error_changes, other_averages, single_task_runs
from mtbench.report.data.kept.runs import is_elsewhere, kept_mark, kept_notes
from mtbench.report.data.trust import trust_sentence
from mtbench.report.data.unlike import mixed_note, mixed_within, unlike_partners
from mtbench.report.exhibits.summary import caption
from mtbench.report.exhibits.summary.idle import equal_weights, untrained
from mtbench.report.exhibits.summary.rank_caption import rank_footnote
from mtbench.stats.contrast import paired
from mtbench.stats.separation import separated_best
from mtbench.stats.summary import Summary, summarize
from mtbench.store.record import Record

__all__ = ["Cell", "Row", "Table", "build_table"]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The cell of a column for a method, from its finished runs.

    Attributes:
        summary: over seeds.
        best: True if it is separated from every other method, and above the constant prediction.
        constant: True if it is not above the constant prediction, see `mtbench.report.data.constant`.
    """

    summary: Summary
    best: bool
    constant: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """A method.

    Attributes:
        method: its title.
        label: its title as tables show it.
        stale: True if some of its runs are stale.
        mixed: True if its runs have unlike numerics, or if Δm, or a bold entry, compares them with such runs.
        gaining: its gain in the last tenth of training, if it is not converged (see `mtbench.report.data.convergence`);
            NaN if it is.
        cells: cells in the order of the table's columns.
        finished: number of its runs that have a record.
        planned: number of runs that there should be.
        expense: its expense; None before a run has finished.
        delta: the summary of Δm over its seeds, by the table's convention; without values if there are no single-task
            runs.
        deltas: the same by every other average and divisor, by names such as ``task`` and ``seed``.
        parts: the part of each metric in Δm, by task and metric, in points; empty without a Δm.
        band: the largest error of Δm by the rounding of constants that it is relative to, in points; NaN without them.
        error: the summary of the relative change of the error rate.
        chosen: True if its epoch was chosen on the test split.
        grown: True if seeds of it were added after a look at others.
        rank: the mean over metrics of its rank; NaN where it has none.
        interval: the interval of its rank; None where it has none.
        letters: the letters of methods that are not significantly different from it; empty where it has none.
        kept: the word behind a method with runs of kept packs, see `mtbench.report.data.kept.runs`; else empty.
        idle: True if Δm is in part of a task in which neither the method nor the single-task network is above the
            constant prediction.
        note: the runs that are not fresh, and the reasons; empty if all are fresh.
        scores: the numbers of its seeds in each column, in the order of the comparison's seeds; NaN where a run lacks.
        gains: Δm of its seeds by the table's convention, likewise.
    """

    method: str
    label: str
    stale: bool
    mixed: bool
    gaining: float
    cells: tuple[Cell, ...]
    finished: int
    planned: int
    expense: Expense | None
    delta: Summary
    deltas: Mapping[tuple[str, str], Summary]
    error: Summary
    parts: Mapping[tuple[str, str], float]
    band: float
    chosen: bool
    grown: bool
    rank: float
    interval: tuple[int, int] | None
    letters: str
    kept: str
    idle: bool
    note: str
    scores: tuple[tuple[float, ...], ...]
    gains: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table before it is written in any markup.

    Attributes:
        dataset: its name for people.
        protocol: the protocol's title.
        quick: True if it is a preview, not a result.
        columns: the tasks, then the mean over them if they share a metric.
        rows: the methods.
        constants: the best predictions that look at no input, a line apart from the methods; None if no record has one.
        yardstick: the unit of relative times; None if they are absolute.
        single: the reference of Δm: the title of the single-task method, or a reference of a convention; empty
            if there is neither.
        ranked: True if there is a column of mean ranks.
        ranks: the intervals of ranks; None if there is nothing to rank by.
        convention: the convention of Δm.
        averages: other averages of Δm that differ from it here.
        caption: sentences that a paper prints above the table.
        details: sentences below the table: training, tests and definitions in full.
        trust: the sentence among them on levels of trust; empty without.
        footnotes: sentences on runs that are not as they should be.
    """

    dataset: str
    protocol: str
    quick: bool
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    constants: Constants | None
    yardstick: Yardstick | None
    single: str
    ranked: bool
    ranks: Ranked | None
    convention: Convention
    averages: tuple[str, ...]
    caption: tuple[str, ...]
    details: tuple[str, ...]
    trust: str
    footnotes: tuple[str, ...]

    @property
    def shown_ranks(self) -> Ranked | None:
        """The intervals of ranks if the table has a column of them."""
        return self.ranks if self.ranks and self.ranks.family.shown else None


def build_table(comparison: Comparison, choices: Choices = DEFAULT) -> Table:
    """Return the summary table of a comparison, with the metrics and the convention of Δm that are chosen."""
    columns, convention = columns_of(comparison, choices), choices.delta
    unit, single = yardstick(comparison), single_task_runs(comparison)
    values = [scores(comparison, column) for column in columns]
    separation = separated_best(values, [column.higher_is_better for column in columns])
    low = [[not_above(method, column) for column in columns] for method in comparison.methods]
    reading = comparison.reading
    chosen = reading is not None and reading.chosen_on_test
    bold = [None if best is None or chosen or low[best][at] else best for at, best in enumerate(separation.best)]
    idle = _idle(comparison, single)
    of_seeds = {
        (average, base): list(deltas(comparison, replace(convention, average=average, base=base)))
        for average in AVERAGES
        for base in dict.fromkeys([*BASES, convention.base])
    }
    gains = {key: list(map(summarize, found)) for key, found in of_seeds.items()}
    over = reading.reference.words if reading and reading.reference else single.title if single else ""
    bands, ranking = rounding_bands(comparison, convention), rank(comparison) if choices.rank else None
    ranks = rank_intervals(comparison, choices)
    shown = ranks if choices.rank_intervals.shown else None
    parts = mean_parts(comparison, convention)
    delta, errors = gains[convention.average, convention.base], list(map(summarize, error_changes(comparison)))
    against = [
        unlike_partners(comparison, index, bold=index in bold, convention=convention if gain.n else None)
        for index, gain in enumerate(delta)
    ]
    within, gaining = list(map(mixed_within, comparison.methods)), unconverged(comparison)
    rows = tuple(
        Row(
            method=method.title,
            label=comparison.labels[method.title],
            stale=method.stale,
            mixed=bool(against[index]) or within[index] or method.title in (shown.unlike if shown else ()),
            gaining=gaining[index],
            cells=tuple(
                Cell(summary=summarize(rows[index]), best=best == index, constant=constant)
                for rows, best, constant in zip(values, bold, low[index], strict=True)
            ),
            finished=len(method.records),
            planned=method.planned,
            expense=expense(method, unit, elsewhere=is_elsewhere(comparison, method)),
            delta=delta[index],
            deltas={key: summaries[index] for key, summaries in gains.items()},
            error=errors[index],
            parts=parts[index],
            band=bands[index],
            chosen=chosen and bool(method.records),
            grown=method.grown,
            rank=ranking.ranks[index] if ranking else math.nan,
            interval=ranks.found.intervals[index] if ranks else None,
            letters=ranks.found.letters[index] if ranks and ranks.family.pairs == "letters" else "",
            kept=kept_mark(method),
            idle=idle[index],
            note=caption.note(
                method, {_called(column, columns): _without(comparison, method, column) for column in columns}
            ),
            scores=tuple(tuple(map(float, rows[index])) for rows in values),
            gains=tuple(map(float, of_seeds[convention.average, convention.base][index])),
        )
        for index, method in enumerate(comparison.methods)
    )
    spreads = any(cell.summary.std is not None for row in rows for cell in row.cells)
    constants = constants_of(comparison, columns)
    facts = caption.Facts(
        unit=unit,
        single=over,
        spreads=spreads,
        marked=any(cell.constant for row in rows for cell in row.cells),
        comparisons=separation.comparisons,
        power=_power(columns, values),
        columns=columns,
        choices=choices,
        gap=_gap(gains, convention),
        constant=constants.name if constants else "",
        band=(min(known), max(known)) if (known := [band for band in bands if not math.isnan(band)]) else None,
        ranking=ranking,
        ranks=shown,
    )
    notes = [
        *(row.note for row in rows),
        *map(caption.unsolved, comparison.methods),
        *map(equal_weights, comparison.methods),
        untrained(comparison.methods),
        mixed_note(
            {row.method: names for row, names in zip(rows, against, strict=True)},
            [row.method for row, is_mixed in zip(rows, within, strict=True) if is_mixed],
        ),
        convergence_note(comparison, gaining),
        large_parts(comparison, convention, parts),
        rank_footnote(shown),
        *(reading.lacking if reading else ()),
        *kept_notes(comparison),
    ]
    return Table(
        dataset=comparison.dataset_title,
        protocol=comparison.title,
        quick=comparison.quick,
        columns=columns,
        rows=rows,
        constants=constants,
        yardstick=unit,
        single=over,
        ranked=ranking is not None,
        ranks=ranks,
        convention=convention,
        averages=other_averages(comparison, convention.average),
        caption=caption.caption(comparison, facts),
        details=caption.details(comparison, facts),
        trust=trust_sentence(comparison.methods),
        footnotes=caption.footnotes(comparison, notes),
    )


def _called(column: Column, columns: Sequence[Column]) -> str:
    """Return the name of a column, with its metric where another column is of the same task."""
    alone = sum(other.name == column.name for other in columns) == 1
    return column.name if alone else f"{column.name} {column.metric}"


def _idle(comparison: Comparison, single: MethodRuns | None) -> list[bool]:
    """Per method, whether neither it nor the single-task networks are above the constant prediction in some task."""
    tasks = [column_of(task.name, task.metrics[0]) for task in comparison.tasks] if single else []
    lost = [column for column in tasks if single and not_above(single, column)]
    return [any(not_above(method, column) for column in lost) for method in comparison.methods]


def _gap(gains: Mapping[tuple[str, str], Sequence[Summary]], convention: Convention) -> float:
    """Return the largest amount by which the two divisors differ in the mean of a method's Δm; 0 where nothing is
    known."""
    seed, mean = (gains[convention.average, base] for base in BASES)
    return max(
        (abs(one.mean - other.mean) for one, other in zip(seed, mean, strict=True) if one.n and other.n), default=0
    )


def _power(columns: Sequence[Column], values: Sequence[np.ndarray]) -> caption.Power | None:
    """Return what these seeds can tell, of the first mean where there is one, else of the last task."""
    if not columns or len(values[-1]) < 2:
        return None
    place = next(place for place, column in enumerate(columns) if column.is_mean or column.name == columns[-1].name)
    column = columns[place]
    goodness = values[place] * (1 if column.higher_is_better else -1)
    known = [row for row in goodness if not np.isnan(row).all()]
    if len(known) < 2:
        return None
    best = max(known, key=lambda row: float(np.nanmean(row)))
    against = [paired(best, row) for row in known if row is not best]
    effects = [each.detectable for each in against if each.detectable is not None]
    least = [each.least for each in against if each.least is not None]
    if not effects or not least:
        return None
    return caption.Power(column=column.name, unit=column.unit, detectable=median(effects), least=min(least))


def _without(comparison: Comparison, method: MethodRuns, column: Column) -> list[int]:
    """Return the seeds of runs that have no number in a column, but for those of which a reading says that they have
    none."""
    return [
        seed
        for seed, record in method.records.items()
        if math.isnan(column.score(record)) and not (comparison.reading and _is_empty(record))
    ]


def _is_empty(record: Record) -> bool:
    return all(
        math.isnan(value) for result in record.results.get("test", {}).values() for value in result.metrics.values()
    )
