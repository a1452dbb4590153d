"""From a suite's file to a `Suite`, or to everything that is wrong with it, each with its line and how to mend it."""

import dataclasses
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from mtbench.contract import Protocol
from mtbench.errors import MtbenchError, UsageError, did_you_mean
from mtbench.plan.grid import Request, all_methods, choose_protocol, plan
from mtbench.plan.parse import DatasetChoice, parse_dataset, parse_method
from mtbench.plan.suite import MEAN, SIZE, Claim, Grid, PaperTable, Search, Suite, rendered
from mtbench.plan.toml_lines import Lines

__all__ = ["Fault", "built_in_suites", "find_suite", "read_suite", "suite_path"]

_PARTS: dict[str, type[Any]] = {"grid": Grid, "paper": PaperTable, "claim": Claim, "search": Search}
_TOP = ("title", "source", "note", "protocol", "labels", "figures", *_PARTS)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something wrong with a suite's file.

    Attributes:
        line: where it stands, counted from 1.
        text: what is wrong, how to mend it, and what is allowed.
    """

    line: int
    text: str


def built_in_suites() -> dict[str, Path]:
    """The suites that come with mtbench, by name."""
    folder = resources.files("mtbench") / "suites"
    paths = [Path(str(entry)) for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {path.stem: path for path in sorted(paths)}


def suite_path(name: str) -> Path:
    """The file of the suite of that name; or the name, if it is a file's.

    Raises:
        UsageError: there is neither.
    """
    known = built_in_suites()
    path = known.get(name, Path(name))
    if not path.is_file():
        raise UsageError(
            f"there is no suite '{name}'.",
            mend=did_you_mean(name, known),
            allowed=f"A suite is a TOML file, or one of: {', '.join(known)}.",
        )
    return path


def find_suite(name: str) -> Suite:
    """The suite of that name, or in that file.

    Raises:
        UsageError: there is none, or something is wrong with it.
    """
    path = suite_path(name)
    suite, faults = read_suite(path)
    if suite is None or faults:
        first, *others = faults
        more = f" {len(others)} more: mtbench suite validate {name}" if others else ""
        raise UsageError(f"{path}, line {first.line}: {first.text}{more}")
    return suite


def read_suite(path: Path) -> tuple[Suite | None, list[Fault]]:
    """A suite and what is wrong with it, in the order of the lines; no suite if it cannot be made out.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise UsageError(f"{path} cannot be read: {cause}.") from cause
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        line = re.search(r"at line (\d+)", str(cause))
        last = len(text.splitlines()) or 1
        return None, [Fault(line=int(line[1]) if line else last, text=f"it is no TOML: {cause}.")]
    lines = Lines(text)
    faults = [*_unknown_keys(content, lines)]  # which it takes out, so that the rest can be looked at
    suite = None
    try:
        suite = _READER.validate_python({"name": path.stem, **_with_protocol(content)})
        faults += _misfits(suite, lines)
    except ValidationError as cause:
        faults += _mistyped(cause, lines)
    return suite, sorted(faults, key=lambda fault: fault.line)


def _unknown_keys(content: dict[str, Any], lines: Lines) -> Iterator[Fault]:
    """What is not known, which is taken out of the content."""
    yield from _unknown(content, _TOP, (), "a suite", lines)
    for name, part in _PARTS.items():
        tables = content.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            yield Fault(
                line=lines.find((name,)), text=f"'{name}' is no list of tables. Write its heading as [[{name}]]."
            )
            del content[name]
            continue
        known = [field.name for field in dataclasses.fields(part)]
        for index, table in enumerate(tables):
            yield from _unknown(table, known, (name, index), f"[[{name}]]", lines)
    settings = [field.name for field in dataclasses.fields(Protocol) if field.name != "name"]
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
    seen: set[tuple[int, str]] = set()
    for error in cause.errors():
        path = error["loc"]
        named = ".".join(str(part) for part in path if isinstance(part, str) and not part.startswith("tuple["))
        what = "is missing" if error["type"] == "missing" else f"is {error['input']!r}: {error['msg'].lower()}"
        fault = (lines.find(tuple(path), "" if error["type"] == "missing" else str(error["input"])), named)
        if fault not in seen:
            seen.add(fault)
            yield Fault(line=fault[0], text=f"'{named}' {what}.")


def _misfits(suite: Suite, lines: Lines) -> Iterator[Fault]:
    """What is well written but does not fit what is installed, or itself."""
    if not suite.grid and not suite.search:
        yield Fault(line=1, text="it names no runs. Write a [[grid]] with datasets and methods.")
    found = list[Fault]()
    for kind, parts in (("grid", suite.grid), ("search", suite.search)):
        for index, part in enumerate(cast(tuple[Grid | Search, ...], parts)):
            found += _part_misfits(suite, part, (kind, index), lines)
    yield from found
    methods = {method for part in suite.parts for method in part.methods}
    if "all" in methods:
        methods |= set(all_methods())
    if found:  # what is not in the grid now may be there when that is mended
        methods |= {*suite.labels, *(name for table in suite.paper for name in table.rows)}
        methods |= {name for claim in suite.claim for name in claim.contrast}
    for name in suite.labels:
        if name not in methods:
            yield _not_there(name, methods, lines.find(("labels", name)), "labels")
    for index, table in enumerate(suite.paper):
        yield from _paper_misfits(table, methods, suite, ("paper", index), lines)
    for index, claim in enumerate(suite.claim):
        yield from _claim_misfits(claim, methods, suite, ("claim", index), lines)


def _part_misfits(suite: Suite, part: Grid | Search, path: tuple[str | int, ...], lines: Lines) -> Iterator[Fault]:
    datasets, known = dict[str, DatasetChoice](), True
    for name in part.datasets:
        try:
            datasets[name] = parse_dataset(name)
        except MtbenchError as cause:
            yield Fault(line=lines.find((*path, "datasets"), name), text=str(cause))
    for name in part.methods:
        try:
            if name != "all":
                parse_method(name)
        except MtbenchError as cause:
            known = False
            yield Fault(line=lines.find((*path, "methods"), name), text=str(cause))
    if isinstance(part, Grid):
        if len(part.vary) > 1:
            yield Fault(
                line=lines.find((*path, "vary")),
                text=f"'vary' has {len(part.vary)} settings. Vary one; write a [[grid]] for each value of the others.",
            )
        for name in set(part.vary) & set(SIZE):
            yield Fault(
                line=lines.find((*path, "vary")),
                text=f"'{name}' cannot be varied: it says how large a run is, and a suite has one size at a time.",
            )
    variations = part.variations() if isinstance(part, Grid) else [dict(part.set)]
    for name, dataset in datasets.items():
        for variation in variations:
            try:
                protocol = choose_protocol(dataset.dataset, name, suite.base)
                protocol.changed(**rendered({**suite.settings, **variation}))
            except UsageError as cause:
                culprit = re.search(r"(?:setting|protocol) '(\w+)'", str(cause))
                word = culprit[1] if culprit else ""
                own = word in variation or word.replace("_", "-") in variation
                yield Fault(line=lines.find(path if own else ("protocol",), word), text=str(cause))
                return
    if known and len(datasets) == len(part.datasets):
        for name in part.methods:
            for settings in variations:
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


def _paper_misfits(
    table: PaperTable, methods: Collection[str], suite: Suite, path: tuple[str | int, ...], lines: Lines
) -> Iterator[Fault]:
    tasks = _tasks(table.dataset)
    yield from _dataset_misfits(table.dataset, suite, path, lines)
    for column in table.columns:
        if tasks and column not in (*tasks, MEAN):
            yield _not_there(column, (*tasks, MEAN), lines.find((*path, "columns"), column), "columns")
    for method, values in table.rows.items():
        line = lines.find((*path, "rows", method), method)
        if method not in methods:
            yield _not_there(method, methods, line, "rows")
        if len(values) != len(table.columns):
            yield Fault(
                line=line,
                text=f"'{method}' has {len(values)} values for {len(table.columns)} columns "
                f"({', '.join(table.columns)}). Give one for each: a mean, or [mean, standard deviation].",
            )
    yield from _variation_misfits(table.set, table.dataset, suite, path, lines)


def _claim_misfits(
    claim: Claim, methods: Collection[str], suite: Suite, path: tuple[str | int, ...], lines: Lines
) -> Iterator[Fault]:
    yield from _dataset_misfits(claim.dataset, suite, path, lines)
    for method in claim.contrast:
        if method not in methods:
            yield _not_there(method, methods, lines.find((*path, "contrast"), method), "contrast")
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
    yield from _variation_misfits(claim.set, claim.dataset, suite, path, lines)


def _dataset_misfits(dataset: str, suite: Suite, path: tuple[str | int, ...], lines: Lines) -> Iterator[Fault]:
    known = {name for part in suite.parts for name in part.datasets}
    if dataset not in known:
        yield _not_there(dataset, known, lines.find((*path, "dataset")), "dataset")


def _variation_misfits(
    settings: Mapping[str, Any], dataset: str, suite: Suite, path: tuple[str | int, ...], lines: Lines
) -> Iterator[Fault]:
    variations = [each for part in suite.grid if dataset in part.datasets for each in part.variations()]
    if settings and not any(rendered(settings) == rendered(each) for each in variations):
        there = "; ".join(", ".join(f"{k}={v}" for k, v in rendered(each).items()) or "none" for each in variations)
        yield Fault(
            line=lines.find((*path, "set")),
            text=f"'set' is {', '.join(f'{k}={v}' for k, v in rendered(settings).items())}, which no [[grid]] of "
            f"dataset '{dataset}' has. There: {there}.",
        )


def _not_there(name: str, known: Collection[str], line: int, key: str) -> Fault:
    allowed = sorted(known) if isinstance(known, set) else list(known)
    mend = did_you_mean(name, allowed)
    text = f"'{key}' has '{name}', which this suite's grid does not. {mend} There: {', '.join(allowed)}."
    return Fault(line=line, text=text.replace("  ", " "))


def _tasks(dataset: str) -> tuple[str, ...]:
    try:
        return tuple(task.name for task in parse_dataset(dataset).tasks())
    except MtbenchError:
        return ()  # told where the grid names it


_READER = TypeAdapter(Suite)
