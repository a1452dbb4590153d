"""Two records of one run, compared number by number."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from mtbench.store.record import Code, Record, render_record

__all__ = ["Circumstance", "NumberChange", "RecordDifference", "compare_records"]

_EXPENSE = {
    **dict.fromkeys(("wall_seconds", "cpu_seconds", "training_wall_seconds", "training_cpu_seconds"), "seconds"),
    "peak_memory": "memory",
}
"""Parts of the cost that are measured anew in each training, by their names in sentences."""
_APART = {"format", "spec", "environment", "numerics", "fingerprints", "files", "sizes", "finished", "notes"}
"""Fields of a record that are no numbers of it."""
_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class NumberChange:
    """A number that two records of one run have with different values.

    Attributes:
        kind: the group of numbers that it is one of, such as ``accuracy (test)`` or ``steps``.
        name: the place of the number in the record: ``results, test, LU, metrics, accuracy``.
        values: the number in the first record and in the second; None for one that is not there or undefined.
    """

    kind: str
    name: str
    values: tuple[Any, Any]

    @property
    def size(self) -> float:
        """The absolute difference; infinite where one of the values is no number."""
        first, second = self.values
        known = all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)
        return abs(second - first) if known else math.inf


@dataclass(frozen=True, kw_only=True)
class Circumstance:
    """A circumstance that differs between two records of one run and that is no number of it.

    Attributes:
        name: its name in sentences, such as ``torch version``.
        values: its value in the first record and in the second; empty where it is not known.
    """

    name: str
    values: tuple[str, str] = ("", "")


@dataclass(frozen=True, kw_only=True)
class RecordDifference:
    """The differences of two records of one run.

    Attributes:
        numbers: the numbers that differ.
        files: names of files beside the record whose sums differ.
        code: a clause on each part of the code that differs, and on the harness and the data.
        circumstances: circumstances that differ: versions, machine, numerics, seconds and memory.
        alone: fields that one record alone has, as an earlier mtbench did not store them.
    """

    numbers: tuple[NumberChange, ...]
    files: tuple[str, ...]
    code: tuple[str, ...]
    circumstances: tuple[Circumstance, ...]
    alone: tuple[str, ...]

    @property
    def has_equal_numbers(self) -> bool:
        """True if every number is equal to the bit, and so are the files beside the records."""
        return not self.numbers and not self.files


def compare_records(first: Record, second: Record) -> RecordDifference:
    """Return the differences of two records of one run.

    Numbers are the results, curves, counts of steps, labels and parameters, and whatever else is computed from the
    data: all that a repetition on the same machine gives again. NaN is equal to NaN.
    """
    one, other = _plain(first), _plain(second)
    numbers, alone = list[NumberChange](), list[str]()
    for field in fields(Record):
        mine, theirs = one[field.name], other[field.name]
        if field.name in _APART or mine == theirs:
            continue
        if _is_later(field) and not (mine and theirs):
            alone.append(field.name)
        else:
            numbers += _numbers(field.name, mine, theirs)
    shared = first.files.keys() & second.files.keys()
    return RecordDifference(
        numbers=tuple(numbers),
        files=tuple(sorted(name for name in shared if first.files[name] != second.files[name])),
        code=tuple(_code(first, second)),
        circumstances=tuple(_circumstances(first, second)),
        alone=tuple(alone),
    )


def _is_later(field: Field[Any]) -> bool:
    """Return whether records of an earlier mtbench may lack a field."""
    return field.default is not MISSING or field.default_factory is not MISSING


def _plain(record: Record) -> dict[str, Any]:
    """Return a record as plain values, with None for NaN."""
    plain: dict[str, Any] = json.loads(render_record(record))["record"]
    return plain


def _numbers(field: str, mine: Any, theirs: Any) -> Iterator[NumberChange]:
    one, other = dict(_leaves(mine, (field,))), dict(_leaves(theirs, (field,)))
    for place in dict.fromkeys([*one, *other]):
        values = one.get(place), other.get(place)
        if values[0] != values[1] and not (field == "cost" and place[-1] in _EXPENSE):
            yield NumberChange(kind=_kind(place), name=", ".join(place), values=values)


def _leaves(value: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _leaves(part, (*place, name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, part in enumerate(value, start=1):
            yield from _leaves(part, (*place, str(number)))
    else:
        yield place, value


def _kind(place: tuple[str, ...]) -> str:
    """Return the group of a number: a metric with its split, or the field with the name."""
    if place[0] == "results":
        return f"{place[-1]} ({place[1]})"
    if "results" in place:
        return f"{place[-1]} ({place[place.index('results') + 1]}, {place[0]})"
    return f"{place[-1]} ({place[0]})" if place[-1] != place[0] else place[0]


def _code(first: Record, second: Record) -> Iterator[str]:
    one, other = first.fingerprints, second.fingerprints
    if one.numerics != other.numerics:
        yield f"NUMERICS {one.numerics} and {other.numerics}"
    for part in dict.fromkeys([*one.code, *other.code]):
        mine, theirs = one.code.get(part), other.code.get(part)
        if mine is None or theirs is None:
            yield f"{part}: no hash in one of the records"
        elif mine.hash != theirs.hash:
            yield f"{part} {getattr(first.spec, part).name}: {_modules(mine, theirs)}"
    if one.data != other.data:
        yield f"data {one.data[:_DIGITS]} and {other.data[:_DIGITS]}"


def _modules(mine: Code, theirs: Code) -> str:
    """Return the modules that differ, or the hashes where those of single modules were not stored."""
    names = sorted({*mine.modules, *theirs.modules})
    changed = [name for name in names if mine.modules.get(name) != theirs.modules.get(name)]
    if mine.modules and theirs.modules and changed:
        return ", ".join(changed)
    return f"hash {mine.hash[:_DIGITS]} and {theirs.hash[:_DIGITS]}, without hashes of single files"


def _circumstances(first: Record, second: Record) -> Iterator[Circumstance]:
    one, other = dict(_about(first)), dict(_about(second))
    for name in dict.fromkeys([*one, *other]):
        values = one.get(name, ""), other.get(name, "")
        if values[0] != values[1]:
            yield Circumstance(name=name, values=values)
    for said in dict.fromkeys(_EXPENSE.values()):
        names = [name for name, words in _EXPENSE.items() if words == said]
        if any(_unlike(getattr(first.cost, name), getattr(second.cost, name)) for name in names):
            yield Circumstance(name=said)


def _about(record: Record) -> Iterator[tuple[str, str]]:
    yield "mtbench version", record.environment.mtbench
    yield "Python version", record.environment.python
    yield "platform", record.environment.platform
    for code in record.fingerprints.code.values():
        yield f"package {code.distribution}", code.version
    yield from record.numerics.aspects().items()


def _unlike(one: float, other: float) -> bool:
    return one != other and not (math.isnan(one) and math.isnan(other))
