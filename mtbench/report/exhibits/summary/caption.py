"""The words of a table's caption and footnotes, as plain sentences."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mtbench.report.data.choices import Choices
from mtbench.report.data.columns import Column
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.constant import COUNTED, MARK
from mtbench.report.data.cost.expense import Yardstick
from mtbench.report.data.gains.rank import Ranking
from mtbench.report.data.reading import CHOSEN
from mtbench.report.data.unlike import differences
from mtbench.report.exhibits.summary.gain_caption import delta_sentences
from mtbench.report.page.sentences import QUICK, STALE, apart, reported, trained
from mtbench.report.text import brief, duration, listed, seeds
from mtbench.store.record import SELECTED, Record

__all__ = ["Power", "Says", "footnotes", "note", "sentences", "unsolved"]


_TROUBLE = ("failed", "damaged", "running", "missing", "stale")


@dataclass(frozen=True, kw_only=True)
class Power:
    """The differences that the seeds of a table can tell.

    Attributes:
        column: the column that it is about, and `unit` that of its metric.
        detectable: the median over methods of the difference to the best that would be called with 80 % probability.
        least: the smallest p that the exact sign-flip test can reach.
    """

    column: str
    unit: str
    detectable: float
    least: float


@dataclass(frozen=True, kw_only=True)
class Says:
    """The facts that a caption needs to know of its table.

    Attributes:
        unit: the unit of relative times; None if they are absolute.
        single: the single-task method that others are relative to; empty if there is none.
        spreads: True if any cell has a standard deviation.
        comparisons: number of comparisons that were corrected together for bold entries.
        power: the power of the seeds; None if there is none.
        columns: the columns of the table.
        choices: the choices of the reader.
        gap: the largest difference that the divisor makes to the mean of a method's Δm.
        constant: the name of the constant prediction; empty if there is none.
        band: the least and the largest amount by which the rounding of constants may move a method's Δm; None without.
        ranking: mean ranks; None where there are none.
    """

    unit: Yardstick | None
    single: str
    spreads: bool
    comparisons: int
    power: Power | None
    columns: Sequence[Column]
    choices: Choices
    gap: float
    constant: str
    band: tuple[float, float] | None
    ranking: Ranking | None


def sentences(comparison: Comparison, says: Says) -> tuple[str, ...]:
    """Return sentences on what the numbers of a comparison are."""
    return tuple(
        sentence
        for sentence in (
            QUICK if comparison.quick else "",
            *(comparison.reading.opening if comparison.reading else ()),
            trained(comparison, _records(comparison)),
            _measured(comparison, says),
            "The mean over tasks is taken within each run." if any(each.is_mean for each in says.columns) else "",
            "± is the standard deviation over n seeds (divisor n-1)." if says.spreads else "",
            _test(comparison, says) if comparison.tasks else "",
            _constant(comparison, says) if says.constant else "",
            delta_sentences(comparison, says.single, says.choices.delta, says.gap) if comparison.tasks else "",
            _band(says.band) if says.band else "",
            _ranks(comparison, says) if says.choices.rank else "",
            *_costs(says.unit, {record.numerics.device for record in _records(comparison)}),
        )
        if sentence
    )


def note(method: MethodRuns, without: Mapping[str, Sequence[int]]) -> str:
    """Say which runs of a method are not as they should be and why; empty if all are fresh and have every number.

    Args:
        without: the seeds of finished runs without a number, by column.
    """
    parts = []
    for state in _TROUBLE:
        runs = [run for run in method.runs if run.state == state]
        by_reason: dict[str, list[int]] = {}
        for run in runs:
            by_reason.setdefault(brief(run.why).rstrip("."), []).append(run.spec.seed)
        reasons = [f"{seeds(who)}: {why}" if why else seeds(who) for why, who in by_reason.items()]
        if runs:
            parts.append(f"{len(runs)} {state} ({'; '.join(reasons)})")
    parts += [f"no number for {column} ({seeds(who)})" for column, who in without.items() if who]
    return f"{method.title}{'†' * method.stale}: {', '.join(parts)}." if parts else ""


def unsolved(method: MethodRuns) -> str:
    """Say how many steps of a method's balancer were not solved; empty if all were."""
    costs = [record.cost for record in method.records.values()]
    count, steps = sum(cost.unsolved for cost in costs), sum(cost.steps for cost in costs)
    said = f"in {count:,} of {steps:,} steps its solver ended short of the condition that defines the balancer"
    return f"{method.title}: {said}." if count else ""


def _has_own_epochs(method: MethodRuns) -> bool:
    """Return whether tasks of a method have weights of unlike epochs."""
    return any(name.startswith(SELECTED) for record in method.records.values() for name in record.measurements)


def _own_epochs(method: MethodRuns) -> str:
    return f"{method.title}: the epoch is chosen for each task by itself, for its networks share nothing."


def footnotes(comparison: Comparison, notes: Sequence[str]) -> tuple[str, ...]:
    """Return the notes, what † means, and in what the runs of one table differ although they should not."""
    stale = any(method.stale for method in comparison.methods)
    return (
        *(apart(method) for method in comparison.methods if method.apart),
        *(_own_epochs(method) for method in comparison.methods if _has_own_epochs(method)),
        *(note for note in notes if note),
        *([STALE] if stale else []),
        *differences(_records(comparison)),
    )


def _measured(comparison: Comparison, says: Says) -> str:
    chosen = f"{comparison.reading.when if comparison.reading else reported([comparison.protocol])}."
    if not comparison.tasks:
        return f"No run has finished. Numbers are of the test split, {chosen}"
    names = {column.name for column in says.columns}
    absent = [task.name for task in comparison.tasks if task.name not in names]
    rest = f" Without such a metric, and left out: {listed(absent)}." if absent else ""
    if asked := says.choices.metrics:
        lacking = not says.choices.named(comparison.tasks)
        rest += f" No task here has {' or '.join(asked)}: primary metrics are shown." if lacking else ""
    if len({(column.metric, column.unit, column.higher_is_better) for column in says.columns}) == 1:
        (common, *_) = says.columns
        unit = f" in {common.unit}" if common.unit else ""
        direction = "higher" if common.higher_is_better else "lower"
        return f"Test {common.metric}{unit}, {direction} is better, {chosen}{rest}"
    if not any(column.is_mean for column in says.columns):
        rest = f" Tasks of unlike metrics have no mean.{rest}"
    return f"Test metrics (arrows point to the better direction) {chosen}{rest}"


def _band(band: tuple[float, float]) -> str:
    low, high = (f"{each:.2f}" for each in band)
    return (
        "The constants are printed with so many digits that half a last digit of each moves Δm by up to "
        f"{'' if low == high else f'±{low} to '}±{high}{'' if low == high else ', by method'}."
    )


def _ranks(comparison: Comparison, says: Says) -> str:
    if says.ranking is None:
        return "No rank: epochs were chosen on the test split." if comparison.tasks else ""
    rows = says.ranking.rows
    if not rows:
        return "No rank: no method but single-task networks has every metric in Δm."
    return (
        f"Rank: the mean over {says.ranking.metrics} metrics (those in Δm) of the rank of the unrounded mean over "
        f"seeds among {len(rows)} method{'s' * (len(rows) != 1)} ({listed(rows)}), 1 for the best; equal values share "
        "the mean of their ranks."
    )


def _test(comparison: Comparison, says: Says) -> str:
    if comparison.reading and comparison.reading.chosen_on_test:
        return f"{CHOSEN}: its epoch was chosen on the test split; nothing is bold."
    counts = Counter(seed for method in comparison.methods for seed in method.records)
    if sum(bool(method.records) for method in comparison.methods) < 2:
        return ""
    if sum(count > 1 for count in counts.values()) < 2:
        return "Nothing is bold: to tell methods apart takes at least two seeds that they share."
    bold = (
        "Bold: the best of a column, if the paired t-test over common seeds tells it from every other method at 5 %, "
        f"after Holm's correction over the {says.comparisons} comparisons of this table."
    )
    if says.power is None:
        return bold
    effect, unit = f"{says.power.detectable:.2g}", f" {says.power.unit}" if says.power.unit else ""
    return (
        f"{bold} Taken by itself, a difference of {effect}{unit} to the best in {says.power.column} would be told with "
        f"80 % probability (median over methods); exact sign flips cannot go below p = {says.power.least:.2g}."
    )


def _constant(comparison: Comparison, says: Says) -> str:
    """Return the meaning of the line of the constant prediction and of its mark."""
    single = max(len(method.records) for method in comparison.methods) < 2
    over = "over test images, for one seed has no spread," if single else "over seeds"
    if single and any(column.metric != COUNTED for column in says.columns):
        over = f"{over} (of {COUNTED}; other metrics count as they are)"
    gains = ""
    if says.single:
        part = f"that averages over a task in which neither the method nor {says.single} is above it"
        gains = f" A Δm {part} is {'left out' if comparison.quick else f'marked {MARK} too'}."
    return (
        f"{says.constant[0].upper()}{says.constant[1:]}: the best answer without a look at the input, from the labels "
        f"of training. {MARK}: not above it, for its 95 % interval {over} contains it or lies on its worse side; such "
        f"a number is never bold.{gains}"
    )


def _costs(unit: Yardstick | None, kinds: set[str]) -> tuple[str, ...]:
    """Say what a method takes, in the order of the columns; `kinds` are the devices that the records are of."""
    seconds = "CPU seconds" if kinds <= {"cpu"} else "seconds on the clock"
    peak = "allocated on the GPU" if kinds == {"cuda"} else "of the whole process"
    if len(kinds) > 1:
        seconds, peak = "seconds (of a CPU its own, of a GPU on the clock)", "of the whole process or of CUDA alone"
    training = f"{seconds} of training per epoch, evaluations left out, median over runs"
    return (
        "#P: weights, biases left out, relative to the single-task network.",
        "MACs: multiply-accumulates to answer every task for one example.",
        "Labels: label uses, those that entered a loss, per run.",
        f"Time: {training}, relative to {unit.method} ({duration(unit.seconds)} s)."
        if unit
        else f"s/epoch: {training}.",
        f"Memory: the peak {peak}, most of any run.",
    )


def _records(comparison: Comparison) -> list[Record]:
    return [record for method in comparison.methods for record in method.records.values()]
