"""Faults of a suite that does not fit the installed plug-ins, or itself; each with its line and a remedy."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mtbench import registry
from mtbench.contract import TrainingProtocol
from mtbench.errors import MtbenchError, UsageError, did_you_mean
from mtbench.plan.chosen import DatasetChoice
from mtbench.plan.grid import Request, all_methods, choose_protocol, plan
from mtbench.plan.parse import parse_dataset, parse_method
from mtbench.plan.suite import SIZE, Counted, Grid, Search, Suite, rendered
from mtbench.plan.suite.claims.misfits import claim_misfits
from mtbench.plan.suite.claims.resources import Passes, resource_misfits
from mtbench.plan.suite.claims.tuning import tuning_misfits
from mtbench.plan.suite.names import Known, Path, not_there, paper_misfits, relation_misfits
from mtbench.plan.suite.stages.misfits import stage_misfits
from mtbench.plan.suite.stages.second_stage import bare, second_stage
from mtbench.plan.toml_lines import Fault, Lines

__all__ = ["Fault", "misfits"]

_SETTINGS = {field.name for field in dataclasses.fields(TrainingProtocol)}


def misfits(suite: Suite, lines: Lines, numbers: Mapping[str, Sequence[int]], *, incomplete: bool) -> Iterator[Fault]:
    """Yield a fault for each well-formed part that does not fit the installed plug-ins, or the rest of the suite.

    Args:
        numbers: positions in the file of the suite's parts, by kind of part (``grid``, ``search``, ``paper``,
            ``claim``).
        incomplete: True if the file has runs that the suite lacks, so that unknown names may refer to those.
    """
    if not suite.parts and not incomplete:
        yield Fault(line=1, text="it names no runs. Write a [[grid]] with datasets and methods.")
    yield from _figure_misfits(suite, lines)
    yield from _setting_misfits(suite.settings, ("protocol",), lines)
    strange: set[str] = set()
    runs: tuple[tuple[str, tuple[Grid | Search, ...]], ...] = (("grid", suite.grid), ("search", suite.search))
    for kind, parts in runs:
        for number, part in zip(numbers[kind], parts, strict=True):
            yield from _part_misfits(suite, part, (kind, number), lines, strange)
    if not strange and not incomplete:
        yield from _baseline_misfits(suite, numbers["grid"], lines)
        yield from stage_misfits(suite, numbers["grid"], lines)
    for number, counted in zip(numbers["counted"], suite.counted, strict=True):
        yield from _counted_misfits(suite, counted, ("counted", number), lines, strange)
    mentioned = {*suite.labels, *(name for table in suite.paper for name in table.rows)}
    mentioned |= {name for relation in suite.relation for name in relation.rows}
    mentioned |= {name for claim in suite.claim for name in claim.methods}
    methods = {method for part in suite.parts for method in part.methods}
    if "all" in methods:
        methods |= set(all_methods())
    # A misspelling in the grid is reported there; the correct spelling elsewhere is no fault.
    methods |= {name for name in mentioned if incomplete or did_you_mean(name, strange)}
    named = methods | {method for part in suite.counted for method in part.methods}
    for name in suite.labels:
        if name not in named:
            yield not_there(name, named - strange, lines.find(("labels", name)), "labels")
    yield from _shared_labels(suite.labels, lines)
    unsure = {name for part in suite.grid if any(_set_misfits(part, (), lines)) for name in part.datasets}
    known = Known(
        suite=suite,
        methods=frozenset(methods),
        strange=frozenset(strange),
        unsure=frozenset(unsure),
        incomplete=incomplete,
    )
    for number, table in zip(numbers["paper"], suite.paper, strict=True):
        yield from paper_misfits(table, known, ("paper", number), lines)
    for number, relation in zip(numbers["relation"], suite.relation, strict=True):
        yield from relation_misfits(relation, known, ("relation", number), lines)
    passes = Passes()
    for number, claim in zip(numbers["claim"], suite.claim, strict=True):
        faults = list(claim_misfits(claim, known, ("claim", number), lines))
        yield from faults
        if not (faults or strange or unsure or incomplete):
            yield from resource_misfits(suite, claim, ("claim", number), lines, passes)
    if suite.judges == "tuned" and not incomplete:
        yield from tuning_misfits(suite, numbers["claim"], lines)


def _figure_misfits(suite: Suite, lines: Lines) -> Iterator[Fault]:
    """Yield a fault for each name in `figures` that is no installed exhibit which suites ask for."""
    known = registry.exhibits("request")
    for name in suite.figures:
        if name not in known:
            mend = " ".join(part for part in (did_you_mean(name, known), f"Allowed: {', '.join(known)}.") if part)
            text = f"'figures' names '{name}', which is no exhibit that a suite can ask for. {mend}"
            yield Fault(line=lines.find(("figures",), name), text=text)


def _setting_misfits(settings: Mapping[str, Any], path: Path, lines: Lines) -> Iterator[Fault]:
    """Yield settings of the training protocol that do not exist, or that do not allow this value or one of these."""
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
    """Yield faults of a part of the runs; unknown names are added to `strange`."""
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
                parse_method(bare(name) if path[0] == "grid" else name)
        except MtbenchError as cause:
            strange.add(name)
            faults.append(Fault(line=lines.find((*path, "methods"), name), text=str(cause)))
    faults += _set_misfits(part, path, lines)
    yield from faults
    if not faults and not any(_setting_misfits(suite.settings, ("protocol",), lines)):
        yield from _plan_misfits(suite, part, path, lines)


def _counted_misfits(suite: Suite, part: Counted, path: Path, lines: Lines, strange: set[str]) -> Iterator[Fault]:
    """Yield faults of networks that are only counted; unknown names are added to `strange`."""
    if "tasks" not in suite.figures:
        yield Fault(
            line=lines.find(path),
            text="networks that are counted are shown in the figure over the number of tasks, which this suite lacks. "
            'Write figures = ["tasks"] at the top.',
        )
    yield from _part_misfits(suite, Grid(datasets=part.datasets, methods=part.methods), path, lines, strange)


def _set_misfits(part: Grid | Search, path: Path, lines: Lines) -> Iterator[Fault]:
    """Yield faults in the settings that a part sets or varies."""
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
            text=f"'{name}' cannot be varied: it sets the size of a run, and a suite has one size at a time.",
        )


def _plan_misfits(suite: Suite, part: Grid | Search, path: Path, lines: Lines) -> Iterator[Fault]:
    """Yield methods that exist, but not for these datasets or settings."""
    for name in part.methods:
        for settings in part.variations() if isinstance(part, Grid) else [dict(part.set)]:
            try:
                for method, datasets in _with_equal_weights(name, part.datasets):
                    request = Request(
                        methods=[method],
                        datasets=datasets,
                        protocol=suite.base,
                        settings=rendered({**suite.settings, **settings}),
                        seeds=[0],
                    )
                    plan(request)
            except MtbenchError as cause:
                yield Fault(line=lines.find((*path, "methods"), name), text=str(cause))
                break


def _with_equal_weights(name: str, datasets: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield a method with its datasets; one of the second stage for each of them, with equal weights for its tasks."""
    stage = second_stage(name)
    if stage is None:
        yield name, datasets
        return
    for dataset in datasets:
        count = len(parse_dataset(dataset).tasks())
        yield stage.with_weights([1 / count] * count), [dataset]


def _baseline_misfits(suite: Suite, numbers: Sequence[int], lines: Lines) -> Iterator[Fault]:
    """Yield single-task networks whose settings no other method of their dataset has."""
    for dataset in dict.fromkeys(name for part in suite.grid for name in part.datasets):
        rules: dict[bool, set[str]] = {True: set(), False: set()}
        place: Path = ()
        baseline = ""
        for number, part in zip(numbers, suite.grid, strict=True):
            for method in part.methods if dataset in part.datasets else ():
                is_single = method != "all" and parse_method(bare(method)).network_class.role == registry.SINGLE_TASK
                if is_single:
                    place, baseline = ("grid", number, "methods"), method
                rules[is_single] |= {str(sorted(rendered(each).items())) for each in part.variations()}
        if rules[True] and rules[False] and not rules[True] & rules[False]:
            yield Fault(
                line=lines.find(place, baseline),
                text=f"single-task networks on dataset '{dataset}' have settings that no other method has there, so "
                "that no row can be compared with theirs. Give them the same 'set' and 'vary'.",
            )


def _shared_labels(labels: Mapping[str, str], lines: Lines) -> Iterator[Fault]:
    """Yield rows with equal labels."""
    first: dict[str, str] = {}
    for method, label in labels.items():
        if first.setdefault(label, method) != method:
            yield Fault(
                line=lines.find(("labels", method)),
                text=f"'{method}' has the label '{label}', like '{first[label]}'. Give each its own label.",
            )
