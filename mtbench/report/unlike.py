"""Comparisons of runs whose numerics are unlike, and their mark."""

from collections.abc import Mapping, Sequence
from itertools import product

from mtbench.report.comparison import MethodRuns
from mtbench.report.text import listed

__all__ = ["MARK", "mixed", "mixed_note"]

MARK = "‡"
"""Stands behind the name of a comparison, or of a method in one, that mixes runs of unlike numerics."""


def mixed(first: MethodRuns, second: MethodRuns, *, paired: bool = True) -> bool:
    """Return whether runs that are compared have unlike numerics (`mtbench.store.numerics.Numerics.differences`).

    Args:
        paired: whether runs are compared seed by seed, or all of one method with all of the other.
    """
    ones, others = first.records, second.records
    seeds = ((seed, seed) for seed in ones.keys() & others.keys()) if paired else product(ones, others)
    return any(ones[one].numerics.differences(others[other].numerics) for one, other in seeds)


def mixed_note(against: Mapping[str, Sequence[str]]) -> str:
    """Return a footnote on the methods of a table with a mark; empty if there are none.

    Args:
        against: by method, those that it is compared with and whose runs have unlike numerics.
    """
    groups: dict[str, list[str]] = {}
    for method, others in against.items():
        if others:
            groups.setdefault(listed(others), []).append(method)
    said = "; ".join(f"{listed(methods)} with {others}" for others, methods in groups.items())
    return f"{MARK} Bold or Δm compares runs of unlike numerics: {said}." if said else ""
