"""``mtbench diff``: two results folders or packs compared."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base.shared import console

if TYPE_CHECKING:
    from mtbench.plan.spec import RunSpec
    from mtbench.store.difference.folders import Difference, Pair
    from mtbench.store.difference.records import NumberChange

__all__ = ["EXAMPLES", "diff"]

EXAMPLES = """Examples:

  mtbench diff results/local results/again
  mtbench diff results/2026-11-24-demo/2026-11-29.zip unpacked
  mtbench diff mine.zip theirs.zip && echo same
"""


def diff(
    first: Annotated[Path, typer.Argument(help="Results folder or pack.", metavar="A")],
    second: Annotated[Path, typer.Argument(help="Results folder or pack.", metavar="B")],
) -> None:
    """Compare the runs of two results folders or packs: exit with 0 if they are the same, with 1 if they differ.

    They are the same if they have the same finished runs, with equal numbers to the bit (metrics, losses, curves,
    counts, predictions and weights), equal code and data, and the same searches, declared suites and task weights that
    rows of suites take from others. Seconds, memory, machines and versions may differ: they are listed and change
    nothing.

    Records are compared; `mtbench store verify` compares the files beside them with the sums in records.
    """
    from mtbench.engines.screen.say import say
    from mtbench.store.difference.folders import compare_results

    found, out = compare_results(first, second), console()
    for line in _lines(found, first, second):
        say(out, line, markup=False)
    if not found.is_none:
        raise typer.Exit(1)


def _lines(found: "Difference", first: Path, second: Path) -> Iterator[str]:
    for place, count, unfinished in zip((first, second), found.counts, found.unfinished, strict=True):
        others = f", and {len(unfinished)} without a record, which are not compared" if unfinished else ""
        yield f"{place}: {_runs(count, 'finished ')}{others}"
    yield f"In both: {_runs(len(found.pairs))}"
    for place, specs in zip((first, second), found.alone, strict=True):
        if specs:
            yield f"In {place} alone: {_runs(len(specs))}"
            yield from _listed(_grouped(specs))
    yield from _numbers(found.pairs)
    yield from _code(found.pairs)
    yield from _circumstances(found.pairs, (first, second))
    yield from (line.says[0].upper() + line.says[1:] for line in (*found.searches, *found.suites))
    yield from _listed(found.unread, "")
    yield "They are the same." if found.is_none else "They differ."


def _numbers(pairs: "Sequence[Pair]") -> Iterator[str]:
    """Yield sentences on the numbers that differ: the largest difference of each kind, then those of each run."""
    unlike = [pair for pair in pairs if pair.difference and not pair.difference.has_equal_numbers]
    if not pairs:
        return
    yield f"Numbers: equal to the bit in {_runs(len(pairs) - len(unlike))}, different in {len(unlike)}"
    largest: dict[str, tuple[NumberChange, RunSpec]] = {}
    for pair in unlike:
        for change in pair.difference.numbers if pair.difference else ():
            if change.kind not in largest or largest[change.kind][0].size < change.size:
                largest[change.kind] = change, pair.spec
    yield from _listed(
        f"{kind}: {_change(change)}, {change.name.replace(', ', ' ')} of {_named(spec)}"
        for kind, (change, spec) in largest.items()
    )
    yield from _listed(f"{_named(pair.spec)}: {_counts(pair)}" for pair in unlike)


def _change(change: "NumberChange") -> str:
    first, second = ("none" if value is None else str(value) for value in change.values)
    size = "" if math.isinf(change.size) else f" (difference {change.size:.3g})"
    return f"{first} and {second}{size}"


def _counts(pair: "Pair") -> str:
    difference = pair.difference
    assert difference is not None
    kinds = Counter(change.kind for change in difference.numbers)
    said = [f"{count} of {kind}" if count > 1 else kind for kind, count in kinds.items()]
    return ", ".join([*said, *(f"the sum of {name}" for name in difference.files)])


def _code(pairs: "Sequence[Pair]") -> Iterator[str]:
    """Yield sentences on differences in what makes the numbers: code, data and the harness."""
    if pairs:
        unlike = sum(bool(pair.difference and pair.difference.code) for pair in pairs)
        yield f"Code and data: equal in {_runs(len(pairs) - unlike)}, different in {unlike}"
    clauses = Counter(clause for pair in pairs if pair.difference for clause in pair.difference.code)
    yield from _listed(f"{clause} ({_runs(count)})" for clause, count in clauses.items())


def _circumstances(pairs: "Sequence[Pair]", places: Sequence[Path]) -> Iterator[str]:
    """Yield sentences on circumstances that differ, of which the numbers may be equal all the same."""
    known = [pair.difference for pair in pairs if pair.difference]
    said = Counter(
        ": ".join([each.name, *([" and ".join(value or "none" for value in each.values)] if any(each.values) else [])])
        for difference in known
        for each in difference.circumstances
    )
    for side, place in enumerate(places):
        said.update(f"{name} in {place} alone" for difference in known for name in difference.alone[side])
    if said:
        equal = sum(difference.has_equal_numbers for difference in known)
        yield f"Circumstances that differ, with equal numbers in {_runs(equal)}:"
        yield from _listed(f"{line} ({_runs(count)})" for line, count in said.items())


def _grouped(specs: "Sequence[RunSpec]") -> Iterator[str]:
    """Yield the runs with the seeds of each method."""
    from mtbench.report.text import seeds

    groups: dict[tuple[str, str, str], list[int]] = {}
    for spec in specs:
        titles = spec.titles
        groups.setdefault((titles.dataset, titles.protocol, titles.method), []).append(spec.seed)
    for names, numbers in groups.items():
        yield f"{', '.join(names)}, {seeds(numbers)}"


def _named(spec: "RunSpec") -> str:
    titles = spec.titles
    return f"{titles.dataset}, {titles.protocol}, {titles.method}, seed {spec.seed} ({spec.id})"


def _runs(count: int, what: str = "") -> str:
    return f"{count} {what}run{'s' * (count != 1)}"


def _listed(lines: Iterable[str], indent: str = "  ") -> Iterator[str]:
    from mtbench.engines.screen.say import capped

    return (indent + line for line in capped(list(lines)))
