"""The runs behind a table: how each number was made, and the command that makes it again."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.plan.command import run_command
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.cost.expense import expense
from mtbench.report.page.layout import Seeds
from mtbench.store.record import Record
from mtbench.store.status import RunStatus

__all__ = ["MethodList", "RunLine", "RunList", "counted_states", "run_list"]


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """A run in the list of a table's runs.

    Attributes:
        seed, run: its seed and its identity.
        folder: its folder, of which pages say nothing.
        state: its state, as `mtbench.store.status.STATES` names it.
        why: the reason if it is stale, failed or damaged.
        level: its level of trust, of `mtbench.store.trust.LEVELS`; empty without a record.
        machine: the number of its program and machine in the list, from 1; 0 without a record.
        numbers: its numbers in the order of the list's heads; NaN where it has none, and none without a record.
    """

    seed: int
    run: str
    folder: Path
    state: str
    why: str
    level: str
    machine: int
    numbers: tuple[float, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """Its numbers in ten digits; empty texts where it has none."""
        return tuple("" if math.isnan(number) else f"{number:.10g}" for number in self.numbers)


@dataclass(frozen=True, kw_only=True)
class MethodList:
    """The runs of one method.

    Attributes:
        title: its title.
        complete: True if every planned run has a record that is fresh.
        grown: True if seeds of it were added after a look at others.
        code: the package, version and hash of the code of each part, and commits of mtbench, a line each.
        command: the command that makes its numbers again.
        costs: numbers by name: seconds of training per epoch, parameters relative to the single-task network,
            multiply-accumulates, used labels and bytes of memory; without those that are not known.
        lines: a line per run.
    """

    title: str
    complete: bool
    grown: bool
    code: tuple[str, ...]
    command: str
    costs: dict[str, str]
    lines: tuple[RunLine, ...]


@dataclass(frozen=True, kw_only=True)
class RunList:
    """The runs of a table.

    Attributes:
        heads: heads of the table's columns that have numbers of seeds.
        columns: those columns, in the same order.
        methods: the methods by title.
        machines: programs and machines, each as pairs of a name and a value.
    """

    heads: tuple[str, ...]
    columns: tuple[Seeds, ...]
    methods: dict[str, MethodList]
    machines: tuple[tuple[tuple[str, str], ...], ...]


def run_list(comparison: Comparison, titles: Collection[str], columns: Mapping[str, Seeds]) -> RunList:
    """Return the runs of some methods of a comparison.

    Args:
        comparison: the runs.
        titles: titles of methods.
        columns: the numbers of the runs, by heads of columns.
    """
    machines: dict[tuple[tuple[str, str], ...], int] = {}
    numbers = tuple(columns.values())
    methods = {
        method.title: MethodList(
            title=method.title,
            complete=all(run.state == "fresh" for run in method.runs),
            grown=method.grown,
            code=tuple(dict.fromkeys(line for record in method.records.values() for line in _code(record))),
            command=run_command([run.spec for run in method.runs]),
            costs=_costs(method),
            lines=tuple(_line(run, method.title, comparison.seeds, numbers, machines) for run in method.runs),
        )
        for method in comparison.methods
        if method.title in titles
    }
    return RunList(heads=tuple(columns), columns=numbers, methods=methods, machines=tuple(machines))


def counted_states(lines: Sequence[RunLine]) -> tuple[tuple[str, int], ...]:
    """Return the states other than fresh, with their numbers of runs."""
    states = [line.state for line in lines if line.state != "fresh"]
    return tuple((state, states.count(state)) for state in dict.fromkeys(states))


def _line(
    run: RunStatus,
    method: str,
    seeds: Sequence[int],
    columns: Sequence[Seeds],
    machines: dict[tuple[tuple[str, str], ...], int],
) -> RunLine:
    place, machine = seeds.index(run.spec.seed), 0
    if run.record is not None:
        machine = machines.setdefault(tuple(_machine(run.record)), len(machines) + 1)
    numbers = (column.values.get(method) or () for column in columns)
    return RunLine(
        seed=run.spec.seed,
        run=run.spec.id,
        folder=run.folder,
        state=run.state,
        why=run.why,
        level=run.level,
        machine=machine,
        numbers=tuple(found[place] if found else math.nan for found in numbers) if run.record else (),
    )


def _machine(record: Record) -> Iterator[tuple[str, str]]:
    environment, numerics = record.environment, record.numerics
    yield "mtbench version", environment.mtbench
    yield "Python version", environment.python
    yield "platform", environment.platform
    yield from numerics.aspects().items()
    yield "data", record.fingerprints.data
    yield "numerics of the harness", str(record.fingerprints.numerics)


def _code(record: Record) -> Iterator[str]:
    for part, code in record.fingerprints.code.items():
        yield f"{part} {getattr(record.spec, part)}: {code.distribution} {code.version}, {code.hash[:12]}"
    if record.environment.commit:
        yield f"mtbench at commit {record.environment.commit[:12]}"


def _costs(method: MethodRuns) -> dict[str, str]:
    spent = expense(method, None)
    if spent is None:
        return {}
    known = {
        "seconds": spent.seconds,
        "parameters": spent.parameter_ratio,
        "macs": spent.macs,
        "labels": spent.label_uses,
        "memory": spent.memory,
    }
    return {name: f"{value:.6g}" for name, value in known.items() if value is not None}
