"""Runs of one table that differ although they should not, and the mark of comparisons of unlike numerics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations, product

from mtbench.report import marks
from mtbench.report.data.choices import Convention
from mtbench.report.data.comparison import Comparison, MethodRuns
from mtbench.report.data.gains.relative import single_task_runs
from mtbench.report.text import listed
from mtbench.store.record import Record
from mtbench.store.record.numerics import UNKNOWN

__all__ = ["differences", "grouped", "mixed", "mixed_note", "mixed_within", "unlike_partners"]


def differences(records: Sequence[Record]) -> list[str]:
    """Return sentences on everything that should be equal in one table and is not, without what is unknown of a run."""
    unlike_tasks = len({record.tasks for record in records}) > 1
    aspects = [
        {
            "data (fingerprint)": record.fingerprints.data[:12],
            **record.numerics.aspects(),
            "numerics of the harness": str(record.fingerprints.numerics),
            "training examples": f"{record.training_examples:,}",
            **(_metrics(record) if unlike_tasks else {}),
        }
        for record in records
    ]
    groups: dict[tuple[int, ...], dict[str, list[str]]] = {}
    for aspect in dict.fromkeys(name for each in aspects for name in each):
        values = [each.get(aspect, UNKNOWN) for each in aspects]
        if len({*values} - {UNKNOWN}) > 1:
            split = tuple(-1 if value == UNKNOWN else values.index(value) for value in values)
            groups.setdefault(split, {})[aspect] = values
    found = [f"The runs differ in {listed(group)}: {_split(list(group.values()))}." for group in groups.values()]
    unlike = any(not group.keys().isdisjoint(("device", "processor", "threads")) for group in groups.values())
    return [*found, *(["Times of unlike machines cannot be compared."] if unlike else [])]


def mixed(first: MethodRuns, second: MethodRuns, *, paired: bool = True) -> bool:
    """Return whether runs that are compared have unlike numerics (see `Numerics.differences`).

    Args:
        paired: True if runs are compared seed by seed, False if all of one method with all of the other.
    """
    ones, others = first.records, second.records
    seeds = ((seed, seed) for seed in ones.keys() & others.keys()) if paired else product(ones, others)
    return any(ones[one].numerics.differences(others[other].numerics) for one, other in seeds)


def mixed_within(method: MethodRuns) -> bool:
    """Return whether the mean of a method is over runs of unlike numerics."""
    numerics = [record.numerics for record in method.records.values()]
    return any(one.differences(other) for one, other in combinations(numerics, 2))


def mixed_note(against: Mapping[str, Sequence[str]], within: Sequence[str] = ()) -> str:
    """Return a footnote on the methods of a table with a mark; empty if there are none.

    Args:
        against: for each method, the methods that it is compared with and whose runs have different numerics.
        within: the methods whose own runs have unlike numerics.
    """
    said = [
        f"A mean is over runs of unlike numerics: {listed(within)}." if within else "",
        grouped("Bold or Δm compares runs of unlike numerics", against),
    ]
    return f"{marks.UNLIKE} {' '.join(filter(None, said))}" if any(said) else ""


def grouped(start: str, against: Mapping[str, Sequence[str]]) -> str:
    """Return a sentence with the methods that are compared with the same others together; empty if there are none."""
    groups: dict[str, list[str]] = {}
    for method, others in against.items():
        if others:
            groups.setdefault(listed(others), []).append(method)
    compared = "; ".join(f"{listed(methods)} with {others}" for others, methods in groups.items())
    return f"{start}: {compared}." if compared else ""


def unlike_partners(comparison: Comparison, index: int, *, bold: bool, convention: Convention | None) -> list[str]:
    """Return the titles of methods whose runs have numerics unlike those of a method that is compared with them.

    Args:
        index: the index of the method in the comparison.
        bold: True if it is separated from all others in some column.
        convention: the convention of its Δm; None if it has none.
    """
    method, single = comparison.methods[index], single_task_runs(comparison)
    others = [other for other in comparison.methods if other is not method]
    found = [other.title for other in others if bold and mixed(method, other)]
    if convention and single and single is not method and mixed(method, single, paired=convention.base == "seed"):
        found.append(single.title)
    return list(dict.fromkeys(found))


def _metrics(record: Record) -> dict[str, str]:
    """Return the unit and the direction of each metric: a record that tells another one reverses comparisons."""
    return {
        f"the {metric.name} of task '{task.name}'": f"{metric.unit or 'no unit'}, "
        f"{'higher' if metric.higher_is_better else 'lower'} is better"
        for task in record.tasks
        for metric in task.metrics
    }


def _split(aspects: Sequence[Sequence[str]]) -> str:
    """Return the values of aspects in which the same runs differ: ``2.9.0 and AVX2 (1 run), 2.10.0 and AVX512 (2
    runs)``."""
    runs = Counter(values for values in zip(*aspects, strict=True) if UNKNOWN not in values)
    said = [f"{listed(values)} ({count} run{'s' * (count > 1)})" for values, count in sorted(runs.items())]
    return listed(said) if len(aspects) == 1 else "; ".join(said)
