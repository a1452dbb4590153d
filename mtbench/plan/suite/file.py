"""From a suite's file to a `Suite`, or to all its faults, each with its line and a remedy."""

import dataclasses
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mtbench.contract import TrainingProtocol
from mtbench.contract.options.limits import shown
from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.suite import Claim, Counted, Grid, PaperTable, Relation, Search, Suite, claim_class
from mtbench.plan.suite.built_in import suite_path
from mtbench.plan.suite.fit import Fault, misfits
from mtbench.plan.toml_lines import Lines

__all__ = ["Fault", "find_suite", "read_suite"]

_PARTS: dict[str, type[Any]] = {
    **{"grid": Grid, "paper": PaperTable, "relation": Relation, "claim": Claim, "search": Search, "counted": Counted}
}
_TOP = ("title", "source", "note", "protocol", "labels", "figures", "ranks", "judges", *_PARTS)
_EMPTY: dict[str, Any] = {"settings": {}, "labels": {}, "figures": (), "ranks": "paired", "judges": "default"}
_BYTES = 1_000_000
"""The largest size of a suite's file."""
_TYPE = re.compile(r"(?:bool|int|float|str|tuple\[.*|class \w+)$")
"""Names that pydantic gives to the alternatives of a value, in the path to it."""
_EXPECTED = {
    "missing": "has too few values",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number is expected"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number is expected"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false is expected"),
    "string_type": "a text is expected",
    **dict.fromkeys(("list_type", "tuple_type"), "a list is expected"),
    **dict.fromkeys(("dict_type", "mapping_type"), "a table is expected"),
    "finite_number": "a finite number is expected",
    "greater_than_equal": "a number of at least {ge:g} is expected",
    "less_than_equal": "a number of at most {le:,} is expected",
}
"""Plain words for what pydantic finds wrong with a value, by its kind of error."""
_MENDS = {
    "delta": "Write average and sign, e.g. 'metric/drop'.",
    "rows": "Give for each column a mean, or [mean, standard deviation].",
    "methods": 'Write a list of texts: ["...", "..."].',
    "datasets": 'Write a list of texts: ["...", "..."].',
    "columns": 'Write a list of texts: ["...", "..."].',
    "pairs": 'Write a list of texts: ["one/other", "..."].',
    "contrast": 'Write two methods: ["...", "..."].',
    "settings": "Write two tables: [{ name = ... }, { ... }].",
    "figures": 'Write a list of texts: ["...", "..."].',
    "vary": "Write a setting and its values: { name = [..., ...] }.",
}


def find_suite(name: str) -> Suite:
    """Return the suite of that name, or in that file.

    Raises:
        UsageError: there is none, or it has a fault.
    """
    path = suite_path(name)
    suite, faults = read_suite(path)
    if suite is None or faults:
        first, *others = faults
        more = f" {len(others)} more: mtbench suite validate {name}" if others else ""
        raise UsageError(f"{path}, line {first.line}: {first.text}{more}")
    return suite


def read_suite(path: Path) -> tuple[Suite | None, list[Fault]]:
    """Return a suite and its faults, in the order of the lines; no suite if it cannot be read.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        if (size := path.stat().st_size) > _BYTES:
            raise UsageError(f"{path} has {size:,} bytes.", allowed=f"A suite has at most {_BYTES:,}.")
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark of its encoding
    except (OSError, UnicodeDecodeError) as cause:
        raise UsageError(f"{path} cannot be read: {cause}.") from cause
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as cause:  # tomllib's own, and Python's for too long a number
        reason = "lists or tables are nested too deeply" if isinstance(cause, RecursionError) else str(cause)
        line = re.search(r"at line (\d+)", reason)
        last = len(text.splitlines()) or 1
        return None, [Fault(line=int(line[1]) if line else last, text=f"the file is not TOML: {reason}.")]
    lines = Lines(text)
    faults = [*_unknown_keys(content, lines)]  # which removes them, so that the rest can be checked
    given = {"name": path.stem, **_with_protocol(content)}
    numbers = {name: list(range(len(given.get(name, [])))) for name in _PARTS}
    try:
        suite = whole = _READER.validate_python(given)
    except ValidationError as cause:
        whole = None
        faults += _mistyped(cause, lines)
        suite = _READER.validate_python(_without(given, cause, numbers))
    lost = any(len(numbers[name]) < len(given.get(name, [])) for name in ("grid", "search"))
    faults += misfits(suite, lines, numbers, incomplete=lost)
    return whole, sorted(faults, key=lambda fault: fault.line)


def _unknown_keys(content: dict[str, Any], lines: Lines) -> Iterator[Fault]:
    """Yield a fault for each unknown key, and remove it from the content."""
    yield from _unknown(content, _TOP, (), "a suite", lines)
    for name, part in _PARTS.items():
        tables = content.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            yield Fault(
                line=lines.find((name,)), text=f"'{name}' is no list of tables. Write its heading as [[{name}]]."
            )
            del content[name]
            continue
        for index, table in enumerate(tables):
            known = [field.name for field in dataclasses.fields(claim_class(table) if part is Claim else part)]
            yield from _unknown(table, known, (name, index), f"[[{name}]]", lines)
    settings = [field.name for field in dataclasses.fields(TrainingProtocol) if field.name != "name"]
    if isinstance(protocol := content.get("protocol", {}), dict):
        for key in [key for key in protocol if key.replace("-", "_") not in ("base", *settings)]:
            yield _stranger(key, ("base", *settings), lines.find(("protocol", key)), "[protocol]")
            del protocol[key]
    else:
        yield Fault(line=lines.find(("protocol",)), text="'protocol' is no table. Write its heading as [protocol].")
        del content["protocol"]


def _unknown(
    table: dict[str, Any], known: Collection[str], path: tuple[str | int, ...], owner: str, lines: Lines
) -> Iterator[Fault]:
    for key in [key for key in table if key not in known]:
        yield _stranger(key, known, lines.find((*path, key)), owner)
        del table[key]


def _stranger(key: str, known: Collection[str], line: int, owner: str) -> Fault:
    mend = did_you_mean(key, known)
    return Fault(line=line, text=f"{owner} has no key '{key}'. {mend} Its keys: {', '.join(known)}.".replace("  ", " "))


def _with_protocol(content: Mapping[str, Any]) -> dict[str, Any]:
    settings = {key.replace("-", "_"): value for key, value in content.get("protocol", {}).items()}
    rest = {key: value for key, value in content.items() if key != "protocol"}
    return {**rest, "base": settings.pop("base", "paper"), "settings": settings}


def _mistyped(cause: ValidationError, lines: Lines) -> Iterator[Fault]:
    """Yield one fault for each value of the wrong type, even if it fits none of several allowed types."""
    seen: set[tuple[int, str]] = set()
    for error in cause.errors():
        path = tuple(part for part in error["loc"] if not (isinstance(part, str) and _TYPE.match(part)))
        named = ".".join(part for part in path if isinstance(part, str))
        missing = error["type"] == "missing" and isinstance(path[-1], str)
        line = lines.find(path, "" if error["type"] == "missing" else str(error["input"]))
        if (line, named) not in seen:
            seen.add((line, named))
            said = _EXPECTED.get(error["type"], error["msg"].removeprefix("Value error, ").lower())
            said = said.format(**error.get("ctx", {}))
            what = "is missing" if missing else f"is {shown(repr(error['input']))}: {said}"
            mend = "Write it." if missing else _MENDS.get(str(path[2]) if len(path) > 2 else "", "")
            yield Fault(line=line, text=f"'{named}' {what}. {mend}".rstrip())


def _without(given: Mapping[str, Any], cause: ValidationError, numbers: dict[str, list[int]]) -> dict[str, Any]:
    """Return a suite without values of the wrong type; a part of the file is left out as a whole.

    Args:
        numbers: positions in the file of the parts of each kind; positions of parts that are left out are removed.
    """
    left = {"title": "", **given}
    for error in cause.errors():
        kind, *path = error["loc"]
        if kind in _PARTS and path and isinstance(path[0], int):
            if path[0] in numbers[str(kind)]:
                numbers[str(kind)].remove(path[0])
        elif path and isinstance(left.get(str(kind)), dict):
            left[str(kind)] = {key: value for key, value in left[str(kind)].items() if key != path[0]}
        else:
            left[str(kind)] = {"title": "", "base": "paper"}.get(str(kind), _EMPTY.get(str(kind), ""))
    parts = {kind: [left[kind][number] for number in kept] for kind, kept in numbers.items() if kind in left}
    return {**left, **parts}


_READER = TypeAdapter(Suite)
