"""Names in a suite's published tables and claims that its grid does not have."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mtbench.errors import MtbenchError, did_you_mean
from mtbench.plan.pairing import unlike_starts
from mtbench.plan.parse import parse_dataset
from mtbench.plan.suite import MEAN, AcrossClaim, Claim, PaperTable, Relation, Setting, Suite, rendered
from mtbench.plan.toml_lines import Fault, Lines

__all__ = ["Known", "Path", "claim_misfits", "not_there", "paper_misfits", "relation_misfits"]

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Known:
    """Names that tables and claims may use.

    Attributes:
        methods: the methods of the grid, and those that a misspelled name may mean.
        strange: names in the grid that do not exist.
        unsure: datasets whose variations are unknown, because they have a fault.
        incomplete: see `misfits`.
    """

    suite: Suite
    methods: frozenset[str]
    strange: frozenset[str]
    unsure: frozenset[str]
    incomplete: bool


def paper_misfits(table: PaperTable, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    """Yield faults of a table of published numbers; `path` is its place."""
    tasks = _tasks(table.dataset)
    yield from _dataset_misfits(table.dataset, known, path, lines)
    for column in table.columns:
        if tasks and column not in (*tasks, MEAN):
            yield not_there(column, (*tasks, MEAN), lines.find((*path, "columns"), column), "columns")
    metrics = _metrics(table.dataset)
    if table.metric and metrics and table.metric not in metrics:
        yield not_there(table.metric, metrics, lines.find((*path, "metric")), "metric")
    yield from _row_misfits(
        table, table.columns, "columns", "a mean, or [mean, standard deviation]", known, path, lines
    )
    yield from _variation_misfits(table.set, table.dataset, known, path, lines)


def relation_misfits(table: Relation, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    """Yield faults of published numbers of pairs of tasks; `path` is their place."""
    tasks = _tasks(table.dataset)
    yield from _dataset_misfits(table.dataset, known, path, lines)
    for pair in table.pairs:
        one, _, other = pair.partition("/")
        line = lines.find((*path, "pairs"), pair)
        if not other or one == other:
            yield Fault(line=line, text=f"'pairs' has '{pair}'. Write two tasks and a slash between them.")
            continue
        for task in (one, other):
            if tasks and task not in tasks:
                yield not_there(task, tasks, line, "pairs")
    yield from _row_misfits(table, table.pairs, "pairs", "a number, or a list of them", known, path, lines)
    yield from _variation_misfits(table.set, table.dataset, known, path, lines)


def _row_misfits(
    table: PaperTable | Relation, heads: Sequence[str], what: str, each: str, known: Known, path: Path, lines: Lines
) -> Iterator[Fault]:
    """Yield faults of the rows of published numbers, which have one for each of `heads`."""
    for method, values in table.rows.items():
        line = lines.find((*path, "rows", method), method)
        if method not in known.methods:
            yield not_there(method, known.methods - known.strange, line, "rows")
        if len(values) != len(heads):
            yield Fault(
                line=line,
                text=f"'{method}' has {len(values)} value{'s' * (len(values) != 1)} for {len(heads)} {what} "
                f"({', '.join(heads)}). Give one for each: {each}.",
            )


def claim_misfits(claim: Claim | AcrossClaim, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    """Yield faults of a claim; `path` is its place."""
    yield from (
        _across_misfits(claim, known, path, lines)
        if isinstance(claim, AcrossClaim)
        else _within_misfits(claim, known, path, lines)
    )
    if claim.direction == "equivalent" and not claim.margin > 0:
        yield Fault(
            line=lines.find((*path, "direction")),
            text="'equivalent' is claimed without a margin. Give 'margin', the smallest difference that matters.",
        )


def _within_misfits(claim: Claim, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    yield from _dataset_misfits(claim.dataset, known, path, lines)
    for method in claim.contrast:
        if method not in known.methods:
            yield not_there(method, known.methods - known.strange, lines.find((*path, "contrast"), method), "contrast")
    if claim.contrast[0] == claim.contrast[1]:
        yield Fault(line=lines.find((*path, "contrast")), text="'contrast' names one method twice. Name two.")
    allowed = (*(tasks := _tasks(claim.dataset)), MEAN, "delta_m")
    if tasks and claim.metric not in allowed:
        yield not_there(claim.metric, allowed, lines.find((*path, "metric")), "metric")
    for task in claim.tasks:
        if tasks and task not in tasks:
            yield not_there(task, tasks, lines.find((*path, "tasks"), task), "tasks")
    if claim.tasks and claim.metric != MEAN:
        text = f"'tasks' is the group of a mean, and 'metric' is '{claim.metric}'. Leave one of the two out."
        yield Fault(line=lines.find((*path, "tasks")), text=text)
    yield from _variation_misfits(claim.set, claim.dataset, known, path, lines)


def _across_misfits(claim: AcrossClaim, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    first, second = claim.datasets
    if first == second:
        yield Fault(line=lines.find((*path, "datasets")), text="'datasets' names one dataset twice. Name two.")
    if claim.method == claim.against:
        yield Fault(
            line=lines.find((*path, "against")),
            text="'against' is the claim's 'method'. Name another method, or leave it out.",
        )
    for key in ("method", "against") if claim.against else ("method",):
        name = getattr(claim, key)
        if name not in known.methods:
            yield not_there(name, known.methods - known.strange, lines.find((*path, key)), key)
            continue
        for dataset in claim.datasets:
            there = _methods_on(dataset, known)
            if there and name not in there and not known.incomplete:
                text = f"'{key}' is '{name}', which no [[grid]] runs on dataset '{dataset}'. Add it to one."
                yield Fault(line=lines.find((*path, key)), text=text)
    for dataset in dict.fromkeys(claim.datasets):
        yield from _dataset_misfits(dataset, known, path, lines, key="datasets")
        yield from _variation_misfits(claim.set, dataset, known, path, lines)
    tasks, others = (_tasks(dataset) for dataset in claim.datasets)
    common = [task for task in tasks if task in others]
    if tasks and others and claim.task not in common:
        have = f"Both have: {', '.join(common)}." if common else "They have no task in common; name other datasets."
        yield Fault(
            line=lines.find((*path, "task")),
            text=f"'task' is '{claim.task}', which is no task of both '{first}' and '{second}'. "
            f"{did_you_mean(claim.task, common)} {have}".replace("  ", " "),
        )
    if claim.test == "paired" and (why := _unlike(claim)):
        yield Fault(
            line=lines.find((*path, "datasets")),
            text=f"runs of one seed on '{first}' and '{second}' cannot be paired: they have {why}. "
            'Write test = "welch".',
        )


def _unlike(claim: AcrossClaim) -> str:
    try:
        return next(filter(None, (unlike_starts(method, *claim.datasets) for method in claim.methods)), "")
    except MtbenchError:
        return ""  # reported where the grid names it


def _methods_on(dataset: str, known: Known) -> set[str]:
    """Return the methods of the grid on a dataset; empty if the grid may mean it by a misspelled name."""
    named = {method for part in known.suite.grid if dataset in part.datasets for method in part.methods}
    return set() if named & known.strange or "all" in named else named


def _dataset_misfits(dataset: str, known: Known, path: Path, lines: Lines, key: str = "dataset") -> Iterator[Fault]:
    there = {name for part in known.suite.parts for name in part.datasets}
    if dataset not in there and not known.incomplete and not did_you_mean(dataset, known.strange):
        yield not_there(dataset, there - known.strange, lines.find((*path, key), dataset), key)


def _variation_misfits(
    settings: Mapping[str, Setting], dataset: str, known: Known, path: Path, lines: Lines
) -> Iterator[Fault]:
    variations = [each for part in known.suite.grid if dataset in part.datasets for each in part.variations()]
    if not settings or not variations or known.incomplete or dataset in known.unsure:
        return  # a missing dataset, or a fault in the grid, is reported at the grid
    if not any(rendered(settings) == rendered(each) for each in variations):
        yield Fault(
            line=lines.find((*path, "set")),
            text=f"'set' is {_listed(settings)}, which no [[grid]] of dataset '{dataset}' has. "
            f"There: {'; '.join(dict.fromkeys(_listed(each) or 'none' for each in variations))}.",
        )


def _listed(settings: Mapping[str, Setting]) -> str:
    return ", ".join(f"{name}={value}" for name, value in rendered(settings).items())


def not_there(name: str, known: Collection[str], line: int, key: str) -> Fault:
    """Return the fault of a name that the grid does not have; `known` are its names, `key` is the key of the value."""
    allowed = sorted(known) if isinstance(known, set | frozenset) else list(known)
    mend = did_you_mean(name, allowed)
    text = f"'{key}' has '{name}', which this suite's grid does not. {mend} There: {', '.join(allowed)}."
    return Fault(line=line, text=text.replace("  ", " "))


def _metrics(dataset: str) -> tuple[str, ...]:
    """Return the metrics of the tasks of a dataset."""
    try:
        tasks = parse_dataset(dataset).tasks()
    except MtbenchError:
        return ()
    return tuple(dict.fromkeys(metric.name for task in tasks for metric in task.kind.metrics))


def _tasks(dataset: str) -> tuple[str, ...]:
    try:
        return tuple(task.name for task in parse_dataset(dataset).tasks())
    except MtbenchError:
        return ()  # reported where the grid names it
