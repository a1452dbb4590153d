"""The words of a summary table: its caption, its details and its footnotes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mtbench.report import marks
from mtbench.report.data.choices import Choices
from mtbench.report.data.columns import Column
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.constant import COUNTED
from mtbench.report.data.cost.expense import Yardstick
from mtbench.report.data.gains.rank import Ranking
from mtbench.report.data.gains.rank_intervals import Ranked
from mtbench.report.data.trust import trust_sentence
from mtbench.report.data.unlike import differences
from mtbench.report.exhibits.summary.gain_caption import gain_caption, gain_details
from mtbench.report.exhibits.summary.rank_caption import rank_caption, rank_details
from mtbench.report.page.sentences import ADDED, STALE, apart, numbers, over_seeds, reported
from mtbench.report.text import brief, duration, listed, seeds
from mtbench.store.record import SELECTED, Record

__all__ = ["Facts", "Power", "caption", "details", "footnotes", "note", "unsolved"]

_TROUBLE = ("failed", "damaged", "running", "missing", "stale")


@dataclass(frozen=True, kw_only=True)
class Power:
    """Statistical power of the seeds of a table.

    Attributes:
        column: the name of the column that is tested.
        unit: the unit of its metric.
        detectable: difference from the best mean that is detectable with 80 % power, median over methods.
        least: smallest p-value that the exact sign-flip test can reach.
    """

    column: str
    unit: str
    detectable: float
    least: float


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts of a table that its caption and details state.

    Attributes:
        unit: the unit of times; None where they are absolute.
        single: the single-task method that Δm is relative to; empty if there is none.
        spreads: True if any cell has a standard deviation.
        marked: True if any cell is not above the constant prediction.
        comparisons: number of comparisons that were corrected together for bold cells.
        power: statistical power of the seeds; None if it is unknown.
        columns: columns of the table.
        choices: the reader's choices.
        gap: largest change of the mean of a method's Δm by the choice of the divisor.
        constant: the name of the constant prediction; empty if there is none.
        band: least and largest amount by which the rounding of constants may change a method's Δm; None without.
        ranking: mean ranks; None where there are none.
        ranks: intervals of ranks; None where the table has no column of them.
    """

    unit: Yardstick | None
    single: str
    spreads: bool
    marked: bool
    comparisons: int
    power: Power | None
    columns: Sequence[Column]
    choices: Choices
    gap: float
    constant: str
    band: tuple[float, float] | None
    ranking: Ranking | None
    ranks: Ranked | None


def caption(comparison: Comparison, facts: Facts) -> tuple[str, ...]:
    """Return the sentences that a paper prints above the table."""
    opening = (
        f"{comparison.dataset_title}, protocol {comparison.title}.",
        *(comparison.reading.opening[:1] if comparison.reading else ()),
    )
    if not comparison.tasks:
        return (*opening, "No run has finished.")
    counts = [len(method.records) for method in comparison.methods if method.records]
    over = over_seeds(counts) if facts.spreads else ", one seed" * (max(counts) == 1)
    sentences = (
        f"Test {_quantity(facts.columns)}{over}{_bold(comparison)}.",
        gain_caption(comparison, facts.single, facts.choices.delta),
        rank_caption(facts.ranks),
        f"{marks.CONSTANT}: not above the {facts.constant}." if facts.marked else "",
        _chosen(comparison),
    )
    return (*opening, *(sentence for sentence in sentences if sentence))


def details(comparison: Comparison, facts: Facts) -> tuple[str, ...]:
    """Return the sentences below the table: training, tests and definitions in full."""
    records = _records(comparison)
    examples = sorted({record.training_examples for record in records})
    sentences = (
        *(comparison.reading.opening[1:] if comparison.reading else ()),
        f"Training: {numbers(comparison.protocol, examples)}.",
        _measured(comparison, facts),
        "The mean over tasks is computed within each run." if any(each.is_mean for each in facts.columns) else "",
        "Standard deviations have the divisor n-1." if facts.spreads else "",
        _test(comparison, facts) if comparison.tasks else "",
        _constant(comparison, facts) if facts.constant else "",
        gain_details(comparison, facts.single, facts.choices.delta, facts.gap) if comparison.tasks else "",
        _band(facts.band) if facts.band else "",
        _ranks(comparison, facts) if facts.choices.rank else "",
        rank_details(comparison, facts.ranks) if facts.choices.rank_intervals.shown else "",
        *_costs(facts.unit, {record.numerics.device for record in records}),
        trust_sentence(comparison.methods),
    )
    return tuple(sentence for sentence in sentences if sentence)


def note(method: MethodRuns, without: Mapping[str, Sequence[int]]) -> str:
    """Return a sentence on the runs of a method that are not fresh or lack numbers, with the reasons; empty without.

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
    """Return a sentence on the steps that a method's balancer did not solve; empty if it solved all."""
    costs = [record.cost for record in method.records.values()]
    count, steps = sum(cost.unsolved for cost in costs), sum(cost.steps for cost in costs)
    said = f"in {count:,} of {steps:,} steps its solver did not reach the condition that defines the balancer"
    return f"{method.title}: {said}." if count else ""


def _has_own_epochs(method: MethodRuns) -> bool:
    """Return whether tasks of a method have weights of unlike epochs."""
    return any(name.startswith(SELECTED) for record in method.records.values() for name in record.measurements)


def _own_epochs(method: MethodRuns) -> str:
    return f"{method.title}: the epoch is chosen per task, as its networks share no parameters."


def footnotes(comparison: Comparison, notes: Sequence[str]) -> tuple[str, ...]:
    """Return the notes, the meaning of †, and sentences on unwanted differences between the runs of one table."""
    stale = any(method.stale for method in comparison.methods)
    return (
        *(apart(method) for method in comparison.methods if method.apart),
        *(_own_epochs(method) for method in comparison.methods if _has_own_epochs(method)),
        *(note for note in notes if note),
        *([STALE] if stale else []),
        *([ADDED] if any(method.grown for method in comparison.methods) else []),
        *differences(_records(comparison)),
    )


def _quantity(columns: Sequence[Column]) -> str:
    if len({(column.metric, column.unit, column.higher_is_better) for column in columns}) > 1:
        return "metrics (arrows point to better values)"
    (common, *_) = columns
    unit = f"{common.unit}, " if common.unit else ""
    return f"{common.metric} ({unit}{'higher' if common.higher_is_better else 'lower'} is better)"


def _bold(comparison: Comparison) -> str:
    if not _is_tested(comparison):
        return ""
    return "; bold: best mean, significantly better than every other method (paired t-test, Holm-corrected, 5 %)"


def _chosen(comparison: Comparison) -> str:
    is_chosen = comparison.reading is not None and comparison.reading.chosen_on_test
    return f"{marks.CHOSEN}: the epoch was chosen on the test split; nothing is bold." if is_chosen else ""


def _is_tested(comparison: Comparison) -> bool:
    """Return whether methods share the two seeds that a test needs, and no epoch was chosen on the test split."""
    return not _chosen(comparison) and _methods(comparison) > 1 and _shared_seeds(comparison) > 1


def _methods(comparison: Comparison) -> int:
    return sum(bool(method.records) for method in comparison.methods)


def _shared_seeds(comparison: Comparison) -> int:
    counts = Counter(seed for method in comparison.methods for seed in method.records)
    return sum(count > 1 for count in counts.values())


def _measured(comparison: Comparison, facts: Facts) -> str:
    when = comparison.reading.when if comparison.reading else reported([comparison.protocol])
    said = [f"Metrics are measured {when}."]
    names = {column.name for column in facts.columns}
    asked = facts.choices.metrics
    if absent := [task.name for task in comparison.tasks if task.name not in names]:
        said.append(f"Tasks without {' or '.join(asked)} are left out: {listed(absent)}.")
    if comparison.tasks and asked and not facts.choices.named(comparison.tasks):
        said.append(f"No task here has {' or '.join(asked)}: primary metrics are shown.")
    if comparison.tasks and not any(column.is_mean for column in facts.columns):
        said.append("Tasks of unlike metrics have no mean.")
    return " ".join(said)


def _band(band: tuple[float, float]) -> str:
    low, high = (f"{each:.2f}" for each in band)
    return (
        "The rounding of the printed constants changes Δm by up to "
        f"{'' if low == high else f'±{low} to '}±{high}{'' if low == high else ', depending on the method'}."
    )


def _ranks(comparison: Comparison, facts: Facts) -> str:
    if facts.ranking is None:
        return "No rank: epochs were chosen on the test split." if comparison.tasks else ""
    rows = facts.ranking.rows
    if not rows:
        return "No rank: no method but single-task networks has every metric in Δm."
    return (
        f"Rank: mean over the {facts.ranking.metrics} metrics in Δm of the rank of the unrounded mean over seeds "
        f"among {len(rows)} method{'s' * (len(rows) != 1)} ({listed(rows)}); 1 is best, ties share their mean rank."
    )


def _test(comparison: Comparison, facts: Facts) -> str:
    if _chosen(comparison) or _methods(comparison) < 2:
        return ""
    if not _is_tested(comparison):
        return "Nothing is bold: a test needs at least two seeds that methods share."
    tests = (
        "Tests are paired over common seeds, with Holm's correction over the "
        f"{facts.comparisons} comparisons of this table."
    )
    if facts.power is None:
        return tests
    effect, unit = f"{facts.power.detectable:.2g}", f" {facts.power.unit}" if facts.power.unit else ""
    return (
        f"{tests} A difference of {effect}{unit} from the best {facts.power.column} is detectable with 80 % power "
        f"(uncorrected, median over methods); the smallest p-value of the exact sign-flip test is "
        f"{facts.power.least:.2g}."
    )


def _constant(comparison: Comparison, facts: Facts) -> str:
    """Return the meaning of the row of the constant prediction and of its mark."""
    single = max(len(method.records) for method in comparison.methods) < 2
    over = "over test images, as one seed has no spread," if single else "over seeds"
    others = single and any(column.metric != COUNTED for column in facts.columns)
    exact = f" Metrics other than {COUNTED} have no interval and are compared as they are." if others else ""
    gains = ""
    if facts.single:
        part = f"that includes a task in which neither the method nor {facts.single} is above it"
        gains = f" A Δm {part} is {'left out' if comparison.quick else f'marked {marks.CONSTANT} too'}."
    return (
        f"{facts.constant[0].upper()}{facts.constant[1:]}: the best constant prediction, from the training labels. "
        f"{marks.CONSTANT}: not above it: the 95 % confidence interval {over} contains its value or lies on the worse "
        f"side; such a number is never bold.{exact}{gains}"
    )


def _costs(unit: Yardstick | None, kinds: set[str]) -> tuple[str, ...]:
    """Return the meaning of the cost columns, in their order; `kinds` are the devices of the records."""
    seconds = "CPU seconds" if kinds <= {"cpu"} else "elapsed seconds"
    peak = "of tensors on the GPU" if kinds == {"cuda"} else "of the whole process"
    if len(kinds) > 1:
        seconds, peak = "seconds (of CPU time on a CPU, elapsed on a GPU)", "of the whole process, on a GPU of tensors"
    training = f"{seconds} of training per epoch without evaluation, median over runs"
    return (
        "#P: number of weights without biases, relative to the single-task network.",
        "MACs: multiply-accumulates of the predictions of all tasks for one example.",
        "Labels: number of labels that entered a loss, per run.",
        f"Time: {training}, relative to {unit.method} ({duration(unit.seconds)} s)."
        if unit
        else f"s/epoch: {training}.",
        f"Memory: peak memory {peak}, maximum over runs.",
    )


def _records(comparison: Comparison) -> list[Record]:
    return [record for method in comparison.methods for record in method.records.values()]
