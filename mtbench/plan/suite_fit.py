"""What of a suite does not fit what is installed, or itself; each fault with its line and how to mend it."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mtbench.contract import TrainingProtocol
from mtbench.errors import MtbenchError, UsageError, did_you_mean
from mtbench.plan.grid import Request, all_methods, choose_protocol, plan
from mtbench.plan.parse import DatasetChoice, parse_dataset, parse_method
from mtbench.plan.suite import MEAN, SIZE, Claim, Grid, PaperTable, Search, Setting, Suite, rendered
from mtbench.plan.toml_lines import Lines

__all__ = ["Fault", "misfits"]

Path: TypeAlias = tuple[str | int, ...]
_SETTINGS = {field.name for field in dataclasses.fields(TrainingProtocol)}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something wrong with a suite's file.

    Attributes:
        line: where it stands, counted from 1.
        text: what is wrong, how to mend it, and what is allowed.
    """

    line: int
    text: str


def misfits(suite: Suite, lines: Lines, numbers: Mapping[str, Sequence[int]], *, incomplete: bool) -> Iterator[Fault]:
    """What is well written but does not fit what is installed, or itself.

    Args:
        numbers: by kind of part (``grid``, ``search``, ``paper``, ``claim``), which of the file's the suite's are.
        incomplete: whether the file has runs that the suite lacks, so that what seems to name none may name those.
    """
    if not suite.parts and not incomplete:
        yield Fault(line=1, text="it names no runs. Write a [[grid]] with datasets and methods.")
    yield from _setting_misfits(suite.settings, ("protocol",), lines)
    strange: set[str] = set()
    runs: tuple[tuple[str, tuple[Grid | Search, ...]], ...] = (("grid", suite.grid), ("search", suite.search))
    for kind, parts in runs:
        for number, part in zip(numbers[kind], parts, strict=True):
            yield from _part_misfits(suite, part, (kind, number), lines, strange)
    mentioned = {*suite.labels, *(name for table in suite.paper for name in table.rows)}
    mentioned |= {name for claim in suite.claim for name in claim.contrast}
    methods = {method for part in suite.parts for method in part.methods}
    if "all" in methods:
        methods |= set(all_methods())
    # What the grid misspells is told there; that others spell it rightly is no fault of theirs.
    methods |= {name for name in mentioned if incomplete or did_you_mean(name, strange)}
    for name in suite.labels:
        if name not in methods:
            yield _not_there(name, methods - strange, lines.find(("labels", name)), "labels")
    yield from _shared_labels(suite.labels, lines)
    unsure = {name for part in suite.grid if any(_set_misfits(part, (), lines)) for name in part.datasets}
    known = _Known(
        suite=suite,
        methods=frozenset(methods),
        strange=frozenset(strange),
        unsure=frozenset(unsure),
        incomplete=incomplete,
    )
    for number, table in zip(numbers["paper"], suite.paper, strict=True):
        yield from _paper_misfits(table, known, ("paper", number), lines)
    for number, claim in zip(numbers["claim"], suite.claim, strict=True):
        yield from _claim_misfits(claim, known, ("claim", number), lines)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What tables and claims may name.

    Attributes:
        methods: those of the grid, and what it may have meant where it misspells them.
        strange: names of the grid that are of nothing.
        unsure: datasets whose variations are not known, since something is wrong with them.
        incomplete: as in `misfits`.
    """

    suite: Suite
    methods: frozenset[str]
    strange: frozenset[str]
    unsure: frozenset[str]
    incomplete: bool


def _setting_misfits(settings: Mapping[str, Any], path: Path, lines: Lines) -> Iterator[Fault]:
    """Numbers of the protocol that do not exist, or may not have this value or one of these."""
    for name, value in settings.items():
        spelled = name if (*path, name) in lines.extents else name.replace("_", "-")
        known = name.replace("-", "_") in _SETTINGS
        values = tuple(value) if path[-1:] == ("vary",) else (value,)
        for one in values if known else values[:1]:
            try:
                TrainingProtocol().changed(**rendered({name: one}))
            except UsageError as cause:
                line = lines.find((*path, spelled), str(one) if known else spelled)
                yield Fault(line=line, text=str(cause).replace(" Given by --set.", ""))


def _part_misfits(suite: Suite, part: Grid | Search, path: Path, lines: Lines, strange: set[str]) -> Iterator[Fault]:
    """Faults of some of the runs; names that are of nothing are added to `strange`."""
    datasets = dict[str, DatasetChoice]()
    faults = list[Fault]()
    for name in part.datasets:
        try:
            datasets[name] = parse_dataset(name)
            choose_protocol(datasets[name].dataset_class, name, suite.base)
        except MtbenchError as cause:
            own = name not in datasets
            strange |= {name} if own else set()
            line = lines.find((*path, "datasets"), name) if own else lines.find(("protocol", "base"))
            faults.append(Fault(line=line, text=str(cause)))
    for name in part.methods:
        try:
            if name != "all":
                parse_method(name)
        except MtbenchError as cause:
            strange.add(name)
            faults.append(Fault(line=lines.find((*path, "methods"), name), text=str(cause)))
    faults += _set_misfits(part, path, lines)
    yield from faults
    if not faults and not any(_setting_misfits(suite.settings, ("protocol",), lines)):
        yield from _plan_misfits(suite, part, path, lines)


def _set_misfits(part: Grid | Search, path: Path, lines: Lines) -> Iterator[Fault]:
    """Faults of what some of the runs set or vary."""
    yield from _setting_misfits(part.set, (*path, "set"), lines)
    if isinstance(part, Search):
        return
    yield from _setting_misfits(part.vary, (*path, "vary"), lines)
    if len(part.vary) > 1:
        yield Fault(
            line=lines.find((*path, "vary")),
            text=f"'vary' has {len(part.vary)} settings. Vary one; write a [[grid]] for each value of the others.",
        )
    for name in set(part.vary) & set(SIZE):
        yield Fault(
            line=lines.find((*path, "vary"), name),
            text=f"'{name}' cannot be varied: it says how large a run is, and a suite has one size at a time.",
        )


def _plan_misfits(suite: Suite, part: Grid | Search, path: Path, lines: Lines) -> Iterator[Fault]:
    """Methods that exist, but not for these datasets or settings."""
    for name in part.methods:
        for settings in part.variations() if isinstance(part, Grid) else [dict(part.set)]:
            request = Request(
                methods=[name],
                datasets=part.datasets,
                protocol=suite.base,
                settings=rendered({**suite.settings, **settings}),
                seeds=[0],
            )
            try:
                plan(request)
            except MtbenchError as cause:
                yield Fault(line=lines.find((*path, "methods"), name), text=str(cause))
                break


def _shared_labels(labels: Mapping[str, str], lines: Lines) -> Iterator[Fault]:
    """Rows that nobody could tell apart."""
    first: dict[str, str] = {}
    for method, label in labels.items():
        if first.setdefault(label, method) != method:
            yield Fault(
                line=lines.find(("labels", method)),
                text=f"'{method}' has the label '{label}', as '{first[label]}' has. Give each a label of its own.",
            )


def _paper_misfits(table: PaperTable, known: _Known, path: Path, lines: Lines) -> Iterator[Fault]:
    tasks = _tasks(table.dataset)
    yield from _dataset_misfits(table.dataset, known, path, lines)
    for column in table.columns:
        if tasks and column not in (*tasks, MEAN):
            yield _not_there(column, (*tasks, MEAN), lines.find((*path, "columns"), column), "columns")
    for method, values in table.rows.items():
        line = lines.find((*path, "rows", method), method)
        if method not in known.methods:
            yield _not_there(method, known.methods - known.strange, line, "rows")
        if len(values) != len(table.columns):
            yield Fault(
                line=line,
                text=f"'{method}' has {len(values)} value{'s' * (len(values) != 1)} for {len(table.columns)} columns "
                f"({', '.join(table.columns)}). Give one for each: a mean, or [mean, standard deviation].",
            )
    yield from _variation_misfits(table.set, table.dataset, known, path, lines)


def _claim_misfits(claim: Claim, known: _Known, path: Path, lines: Lines) -> Iterator[Fault]:
    yield from _dataset_misfits(claim.dataset, known, path, lines)
    for method in claim.contrast:
        if method not in known.methods:
            yield _not_there(method, known.methods - known.strange, lines.find((*path, "contrast"), method), "contrast")
    if claim.contrast[0] == claim.contrast[1]:
        yield Fault(line=lines.find((*path, "contrast")), text="'contrast' names one method twice. Name two.")
    allowed = (*_tasks(claim.dataset), MEAN, "delta_m")
    if len(allowed) > 2 and claim.metric not in allowed:
        yield _not_there(claim.metric, allowed, lines.find((*path, "metric")), "metric")
    if claim.direction == "equivalent" and not claim.margin > 0:
        yield Fault(
            line=lines.find((*path, "direction")),
            text="'equivalent' is claimed without a margin. Give 'margin', the difference that would matter.",
        )
    yield from _variation_misfits(claim.set, claim.dataset, known, path, lines)


def _dataset_misfits(dataset: str, known: _Known, path: Path, lines: Lines) -> Iterator[Fault]:
    there = {name for part in known.suite.parts for name in part.datasets}
    if dataset not in there and not known.incomplete and not did_you_mean(dataset, known.strange):
        yield _not_there(dataset, there - known.strange, lines.find((*path, "dataset")), "dataset")


def _variation_misfits(
    settings: Mapping[str, Setting], dataset: str, known: _Known, path: Path, lines: Lines
) -> Iterator[Fault]:
    variations = [each for part in known.suite.grid if dataset in part.datasets for each in part.variations()]
    if not settings or not variations or known.incomplete or dataset in known.unsure:
        return  # that no grid has the dataset, or what is wrong with the grid, is told where it stands
    if not any(rendered(settings) == rendered(each) for each in variations):
        yield Fault(
            line=lines.find((*path, "set")),
            text=f"'set' is {_listed(settings)}, which no [[grid]] of dataset '{dataset}' has. "
            f"There: {'; '.join(dict.fromkeys(_listed(each) or 'none' for each in variations))}.",
        )


def _listed(settings: Mapping[str, Setting]) -> str:
    return ", ".join(f"{name}={value}" for name, value in rendered(settings).items())


def _not_there(name: str, known: Collection[str], line: int, key: str) -> Fault:
    allowed = sorted(known) if isinstance(known, set | frozenset) else list(known)
    mend = did_you_mean(name, allowed)
    text = f"'{key}' has '{name}', which this suite's grid does not. {mend} There: {', '.join(allowed)}."
    return Fault(line=line, text=text.replace("  ", " "))


def _tasks(dataset: str) -> tuple[str, ...]:
    try:
        return tuple(task.name for task in parse_dataset(dataset).tasks())
    except MtbenchError:
        return ()  # told where the grid names it
