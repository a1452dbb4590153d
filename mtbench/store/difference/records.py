"""Two records of one run, compared number by number."""

import json
import math
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from itertools import pairwise
from typing import Any

from mtbench.store.record import Code, Record, render_record

__all__ = ["Circumstance", "NumberChange", "RecordDifference", "compare_records"]

_EXPENSE = {
    **dict.fromkeys(("wall_seconds", "cpu_seconds", "training_wall_seconds", "training_cpu_seconds"), "seconds"),
    "peak_memory": "memory",
}
"""Parts of the cost that are measured in each training, by their names in sentences."""
_APART = {"format", "spec", "environment", "numerics", "fingerprints", "files", "sizes", "finished", "notes"}
"""Fields of a record that are no numbers of it."""
_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class NumberChange:
    """A number that two records of one run have with different values.

    Attributes:
        kind: the group of numbers that it is one of, such as ``accuracy (test)`` or ``steps``.
        name: the place of the number in the record: ``results, test, LU, metrics, accuracy``.
        values: the number in the first record and in the second, of a list its length; None for one that is not there
            or undefined.
    """

    kind: str
    name: str
    values: tuple[Any, ...]

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
        alone: fields that the first record alone has, and the second, as an earlier mtbench did not store them.
    """

    numbers: tuple[NumberChange, ...]
    files: tuple[str, ...]
    code: tuple[str, ...]
    circumstances: tuple[Circumstance, ...]
    alone: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def has_equal_numbers(self) -> bool:
        """True if every number is equal to the bit, and so are the files beside the records."""
        return not self.numbers and not self.files


def compare_records(first: Record, second: Record) -> RecordDifference:
    """Return the differences of two records of one run.

    Numbers are the results, curves, counts of steps, labels and parameters, and whatever else is computed from the
    data: all that a repetition on the same machine gives again. NaN is equal to NaN.
    """
    one, other, found = _plain(first), _plain(second), _Changes()
    for field in fields(Record):
        if field.name not in _APART:
            found.add(one[field.name], other[field.name], (field.name,), optional=_is_later(field))
    shared = first.files.keys() & second.files.keys()
    return RecordDifference(
        numbers=tuple(found.numbers),
        files=tuple(sorted(name for name in shared if first.files[name] != second.files[name])),
        code=tuple(_code(first, second)),
        circumstances=tuple(_circumstances(first, second)),
        alone=(tuple(dict.fromkeys(found.alone[0])), tuple(dict.fromkeys(found.alone[1]))),
    )


def _is_later(field: Field[Any]) -> bool:
    """Return whether records of an earlier mtbench may lack a field."""
    return field.default is not MISSING or field.default_factory is not MISSING


def _plain(record: Record) -> dict[str, Any]:
    """Return a record as plain values, with None for NaN."""
    plain: dict[str, Any] = json.loads(render_record(record))["record"]
    return plain


class _Changes:
    """Differences of the plain values of two records.

    Attributes:
        numbers: the numbers that differ.
        alone: names of what the first record alone has, and the second, because an earlier mtbench did not store it.
    """

    def __init__(self) -> None:
        self.numbers = list[NumberChange]()
        self.alone = list[str](), list[str]()

    def add(self, mine: Any, theirs: Any, place: tuple[str, ...], *, optional: bool) -> None:
        """Add the differences of two values.

        Args:
            mine, theirs: the values in the first record and in the second.
            place: the names that lead to them.
            optional: True if records of an earlier mtbench may lack parts of them.
        """
        if mine == theirs or (place[0] == "cost" and place[-1] in _EXPENSE):
            return
        if isinstance(mine, dict) and isinstance(theirs, dict):
            for name in dict.fromkeys([*mine, *theirs]):
                if name in mine and name in theirs:
                    self.add(mine[name], theirs[name], (*place, name), optional=optional)
                elif optional:
                    self.alone[name not in mine].append(f"{place[-1]} '{name}'")
                else:
                    self._change(mine.get(name), theirs.get(name), (*place, name))
        elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
            for number, parts in enumerate(zip(mine, theirs, strict=True), start=1):
                self.add(*parts, (*place, str(number)), optional=optional)
        elif _is_lacking(mine, theirs, optional=optional):
            self.alone[not mine].append(place[-1])
        else:
            self._change(mine, theirs, place)

    def _change(self, mine: Any, theirs: Any, place: tuple[str, ...]) -> None:
        values = (len(each) if isinstance(each, dict | list) else each for each in (mine, theirs))
        self.numbers.append(NumberChange(kind=_kind(place), name=", ".join(place), values=tuple(values)))


def _is_lacking(mine: Any, theirs: Any, *, optional: bool) -> bool:
    """Return whether one of two values is nothing in place of a structure, as in records of an earlier mtbench."""
    return any(isinstance(each, dict | list) for each in (mine, theirs)) and (
        None in (mine, theirs) or (optional and not (mine and theirs))
    )


def _kind(place: tuple[str, ...]) -> str:
    """Return the group of a number: its name with the split, and with the field unless that is of results."""
    *above, name = place
    splits = [split for before, split in pairwise(above) if before == "results"]
    fields_above = [place[0]] if above and not (place[0] == "results" and splits) else []
    where = ", ".join([*splits, *fields_above])
    return f"{name} ({where})" if where else name


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
    yield "mtbench commit", record.environment.commit
    yield "Python version", record.environment.python
    yield "platform", record.environment.platform
    for code in record.fingerprints.code.values():
        yield f"package {code.distribution}", code.version
    yield from record.numerics.aspects().items()


def _unlike(one: float, other: float) -> bool:
    return one != other and not (math.isnan(one) and math.isnan(other))
