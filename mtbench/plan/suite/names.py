"""Names in a suite's published tables that its grid does not have, and the checks that claims have in common with
them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mtbench.errors import MtbenchError, did_you_mean
from mtbench.plan.parse import parse_dataset
from mtbench.plan.suite import MEAN, PaperTable, Relation, Setting, Suite, rendered
from mtbench.plan.toml_lines import Fault, Lines

__all__ = [
    *("Known", "Path", "dataset_misfits", "listed_settings", "not_there", "paper_misfits", "relation_misfits"),
    *("tasks_of", "variation_misfits"),
]

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
    tasks = tasks_of(table.dataset)
    yield from dataset_misfits(table.dataset, known, path, lines)
    for column in table.columns:
        if tasks and column not in (*tasks, MEAN):
            yield not_there(column, (*tasks, MEAN), lines.find((*path, "columns"), column), "columns")
    metrics = _metrics(table.dataset)
    if table.metric and metrics and table.metric not in metrics:
        yield not_there(table.metric, metrics, lines.find((*path, "metric")), "metric")
    yield from _row_misfits(
        table, table.columns, "columns", "a mean, or [mean, standard deviation]", known, path, lines
    )
    yield from variation_misfits(table.set, table.dataset, known, path, lines)


def relation_misfits(table: Relation, known: Known, path: Path, lines: Lines) -> Iterator[Fault]:
    """Yield faults of published numbers of pairs of tasks; `path` is their place."""
    tasks = tasks_of(table.dataset)
    yield from dataset_misfits(table.dataset, known, path, lines)
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
    yield from variation_misfits(table.set, table.dataset, known, path, lines)


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


def dataset_misfits(dataset: str, known: Known, path: Path, lines: Lines, key: str = "dataset") -> Iterator[Fault]:
    """Yield a fault if no part of the suite runs anything on a dataset; `key` is the key of its name."""
    there = {name for part in known.suite.parts for name in part.datasets}
    if dataset not in there and not known.incomplete and not did_you_mean(dataset, known.strange):
        yield not_there(dataset, there - known.strange, lines.find((*path, key), dataset), key)


def variation_misfits(
    settings: Mapping[str, Setting], dataset: str, known: Known, path: Path, lines: Lines, *, key: str = ""
) -> Iterator[Fault]:
    """Yield a fault if no part of the grid has a variation.

    Args:
        settings: the settings of the variation.
        key: the key whose value names it, if an empty table there means a part of the grid without settings; else the
            key is ``set``, and an empty table names none.
    """
    variations = [each for part in known.suite.grid if dataset in part.datasets for each in part.variations()]
    if not (settings or key) or not variations or known.incomplete or dataset in known.unsure:
        return  # a missing dataset, or a fault in the grid, is reported at the grid
    if not any(rendered(settings) == rendered(each) for each in variations):
        yield Fault(
            line=lines.find((*path, key or "set")),
            text=f"'{key or 'set'}' is {listed_settings(settings)}, which no [[grid]] of dataset '{dataset}' has. "
            f"There: {'; '.join(dict.fromkeys(map(listed_settings, variations)))}.",
        )


def listed_settings(settings: Mapping[str, Setting]) -> str:
    """Return the settings of a variation in words."""
    return ", ".join(f"{name}={value}" for name, value in rendered(settings).items()) or "none"


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


def tasks_of(dataset: str) -> tuple[str, ...]:
    """Return the names of the tasks of a dataset; empty if there is no such dataset."""
    try:
        return tuple(task.name for task in parse_dataset(dataset).tasks())
    except MtbenchError:
        return ()  # reported where the grid names it
