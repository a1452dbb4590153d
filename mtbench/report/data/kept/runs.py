"""Runs of kept packs beside a reader's own: which of them may stand in one table, and what is said of them.

A run is taken if it shares the dataset, the sum of its data, the training protocol and a seed with runs of the reader.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mtbench.contract import TrainingProtocol
from mtbench.plan.command import run_command
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.text import listed, seeds
from mtbench.store.record import Record, render_record
from mtbench.store.status import RunStatus

__all__ = ["KEPT", "PARTLY_KEPT", "beside", "is_elsewhere", "kept_mark", "kept_notes", "numbers", "twice"]

KEPT = " (kept)"
"""Behind a method whose runs are all from packs beside the reader's own."""
PARTLY_KEPT = " (partly kept)"
"""Behind a method of which some runs are."""

_DATASETS, _PROTOCOLS, _DATA, _SEEDS = range(4)


def beside(own: Sequence[RunStatus], kept: Iterable[RunStatus]) -> tuple[list[RunStatus], list[str]]:
    """Return the kept runs that may stand beside the reader's own, and for each pack a sentence on the others.

    Args:
        own: the reader's runs; those without a record count for nothing.
        kept: runs of packs, each with its `origin`, without trials and without runs that are among the own.
    """
    groups: dict[tuple[str, str, TrainingProtocol], set[int]] = {}
    sums: dict[str, set[str]] = {}
    for run in own:
        if run.record is not None:
            groups.setdefault(_group(run), set()).add(run.spec.seed)
            sums.setdefault(str(run.spec.dataset), set()).add(run.record.fingerprints.data)
    taken, left = list[RunStatus](), dict[str, dict[int, list[RunStatus]]]()
    for run in kept:
        reasons = left.setdefault(run.origin, {})
        if run.record is None:
            continue
        if (why := _misfit(run, run.record, groups, sums)) is None:
            taken.append(run)
        else:
            reasons.setdefault(why, []).append(run)
    named = {run.origin for run in taken}
    methods = list(dict.fromkeys(run.spec.titles.method for run in own if run.record is not None))
    sentences = []
    for name, reasons in left.items():
        sentences += [_said(name, reasons)] if reasons else []
        if (unlike := reasons.get(_PROTOCOLS)) and name not in named:
            sentences.append(f"To train as {name} was trained: {_command(unlike, methods)}")
    return taken, sentences


def twice(own: Mapping[str, Record], kept: Iterable[RunStatus]) -> list[str]:
    """Return for each pack a sentence on the runs of which the reader has other records, which are shown.

    Args:
        own: the reader's records, by the name of the run's folder.
        kept: runs of packs, each with its `origin`.
    """
    found: dict[str, list[RunStatus]] = {}
    for run in kept:
        mine = own.get(run.folder.name)
        if mine is not None and run.record is not None and render_record(mine) != render_record(run.record):
            found.setdefault(run.origin, []).append(run)
    return [_twice(name, runs, own) for name, runs in found.items()]


def kept_mark(method: MethodRuns) -> str:
    """Return the word behind the name of a method whose runs are kept ones; empty if none is."""
    origins = [run.origin for run in method.runs]
    return (KEPT if all(origins) else PARTLY_KEPT) if any(origins) else ""


def is_elsewhere(comparison: Comparison, method: MethodRuns) -> bool:
    """Return whether a method has kept runs of a machine that the reader's own runs were not trained on."""
    own = {
        _machine(run.record)
        for each in comparison.methods
        for run in each.runs
        if run.record is not None and not run.origin
    }
    return any(run.record is not None and run.origin and _machine(run.record) not in own for run in method.runs)


def kept_notes(comparison: Comparison) -> list[str]:
    """Return a footnote for each pack that runs of a comparison are from, with their code and machine."""
    found: dict[str, dict[str, list[Record]]] = {}
    for method in comparison.methods:
        for run in method.runs:
            if run.origin and run.record is not None:
                found.setdefault(run.origin, {}).setdefault(method.title, []).append(run.record)
    away = {method.title for method in comparison.methods if is_elsewhere(comparison, method)}
    return [_note(name, methods, away) for name, methods in found.items()]


def _note(name: str, methods: Mapping[str, Sequence[Record]], away: set[str]) -> str:
    records = [record for each in methods.values() for record in each]
    code = listed(
        dict.fromkeys(
            f"{part.distribution} {part.version}" for record in records for part in record.fingerprints.code.values()
        )
        or dict.fromkeys(f"mtbench {record.environment.mtbench}" for record in records)
    )
    machine = listed(dict.fromkeys(f"{each.numerics.processor} ({each.numerics.device})" for each in records))
    times = " Their times are those of another machine and are not compared." if away & methods.keys() else ""
    return f"{KEPT.strip()}: runs of {listed(methods)} are from {name}, code {code}, machine {machine}.{times}"


def numbers(run: RunStatus) -> TrainingProtocol:
    """Return the training protocol of a run's table, whose default number of seeds is no difference."""
    return dataclasses.replace(run.spec.common_protocol, seeds=1)


def _twice(name: str, runs: Sequence[RunStatus], own: Mapping[str, Record]) -> str:
    methods = listed(_each(f"{run.spec.titles.dataset} {run.spec.titles.method}" for run in runs))
    unlike = [run for run in runs if run.record is not None and own[run.folder.name].results != run.record.results]
    numbers = f"; the results of {len(unlike)} differ" if unlike else ""
    return (
        f"{name}: {len(runs)} run{'s' * (len(runs) > 1)} left out that you have trained too ({methods}{numbers}). "
        "Yours are shown."
    )


def _group(run: RunStatus) -> tuple[str, str, TrainingProtocol]:
    return str(run.spec.dataset), run.spec.titles.protocol, numbers(run)


def _machine(record: Record) -> tuple[str, str, int]:
    return record.numerics.processor, record.numerics.device, record.numerics.threads


def _misfit(
    run: RunStatus,
    record: Record,
    groups: Mapping[tuple[str, str, TrainingProtocol], set[int]],
    sums: Mapping[str, set[str]],
) -> int | None:
    """Return why a run cannot stand beside the others; None if it can."""
    dataset = str(run.spec.dataset)
    if dataset not in sums:
        return _DATASETS
    if record.fingerprints.data not in sums[dataset]:
        return _DATA
    if _group(run) not in groups:
        return _PROTOCOLS
    return None if run.spec.seed in groups[_group(run)] else _SEEDS


def _command(runs: Sequence[RunStatus], methods: Sequence[str]) -> str:
    """Return the command that trains methods under the training protocol of most of the runs of a pack."""
    group, _ = Counter(map(_group, runs)).most_common(1)[0]
    specs = {run.spec.seed: run.spec for run in runs if _group(run) == group}
    titled = [
        dataclasses.replace(spec, titles=dataclasses.replace(spec.titles, method=",".join(methods)))
        for _, spec in sorted(specs.items())
    ]
    return run_command(titled)


def _said(name: str, reasons: Mapping[int, Sequence[RunStatus]]) -> str:
    counts = [f"{len(reasons[why])} {_why(why, reasons[why])}" for why in sorted(reasons)]
    total = sum(map(len, reasons.values()))
    return f"{name}: {total} run{'s' * (total > 1)} left out: {', '.join(counts)}."


def _why(reason: int, runs: Sequence[RunStatus]) -> str:
    datasets = listed(_each(run.spec.titles.dataset for run in runs))
    if reason == _DATASETS:
        return f"of other datasets ({datasets})"
    if reason == _PROTOCOLS:
        return f"under other training protocols ({'; '.join(_each(map(_trained, runs)))})"
    if reason == _DATA:
        return f"on other data of {datasets}"
    return f"of other seeds ({seeds({run.spec.seed for run in runs})})"


def _trained(run: RunStatus) -> str:
    return f"{run.spec.titles.dataset}, {run.spec.titles.protocol}"


def _each(names: Iterable[str]) -> list[str]:
    return sorted(set(names))
