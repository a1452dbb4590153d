"""Declared suites: the runs and claims of a suite before its first run, in ``suites/<name>.json`` of a results folder.

A claim that was changed after results were seen proves less than one that was not. The file contains the suite's
training protocol, grid, searches and claims with their margins, so that a report can compare them with the present
suite.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from mtbench.errors import StoreError
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import Suite
from mtbench.store.files.atomic import make_folder, write_text
from mtbench.store.record.sealed import seal, strict_json
from mtbench.store.results import mark_results, run_folders
from mtbench.store.suites.files import SUITES, read_sealed

__all__ = [
    "FORMAT",
    "SUITES",
    "Declaration",
    "beyond",
    "changes",
    "content",
    "declaration_path",
    "declare",
    "declare_content",
    "differences",
    "read_declaration",
]

FORMAT = 1
"""Raised when an earlier mtbench can no longer read a declaration."""
_MEND = (
    "Restore it from a copy. If there is none, remove it: the next `mtbench run --suite` declares the suite again, and "
    "reports then state the number of runs before that."
)
_PARTS = {
    **{"protocol": "protocol", "grid": "grid", "search": "searches", "claim": "claims", "ranks": "ranks"},
    "judges": "judged runs",
}
"""The parts of a declaration, and their names in words."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A suite as it was declared in a results folder.

    Attributes:
        suite: the name of the suite.
        at: date and time in UTC, as in ``2026-11-29T18:00:00+00:00``.
        runs: number of the suite's runs, of any size, that had a record then.
        content: see `content`.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    format: int = FORMAT
    suite: str
    at: str
    runs: int
    content: Mapping[str, Any]

    @property
    def hash(self) -> str:
        """The SHA-256 of the content, 64 hexadecimal digits."""
        return _hash(self.content)


def content(suite: Suite) -> dict[str, Any]:
    """Return the runs, claims, comparison of ranks and judged runs of a suite as plain values, without defaults and
    without the sources of claims."""
    parts: dict[str, Any] = {
        "protocol": {"base": suite.base, **suite.settings},
        "grid": [_given(part) for part in suite.grid],
        "search": [_given(part) for part in suite.search],
        "claim": [_given(dataclasses.replace(claim, source="")) for claim in suite.claim],
    }
    if suite.ranks != "paired":
        parts["ranks"] = suite.ranks
    if suite.judges != "default":
        parts["judges"] = suite.judges
    plain: dict[str, Any] = json.loads(strict_json(parts))
    return plain


def changes(declared: Declaration, suite: Suite) -> list[str]:
    """Return in words each part of a suite that differs from its declaration, e.g. ``claims (1 added, 1 removed)``."""
    return differences(declared, content(suite))


def differences(declared: Declaration, now: Mapping[str, Any]) -> list[str]:
    """Return in words each part of a present content that differs from the declared one, see `changes`."""
    return [
        words + _counted(declared.content.get(part), now.get(part))
        for part, words in _PARTS.items()
        if declared.content.get(part) != now.get(part)
    ]


def beyond(declared: Declaration, spec: RunSpec) -> bool:
    """Return whether the seed of a suite's run is beyond all numbers of seeds that the declaration states.

    False where the protocol has no number of its own in it, and for another of the datasets' training protocols.
    """
    protocol = declared.content.get("protocol", {})
    if "seeds" not in protocol or protocol.get("base") != spec.protocol.name:
        return False
    of_parts = [part.get("set", {}).get("seeds", 0) for part in declared.content.get("grid", ())]
    of_claims = [claim.get("n", 0) for claim in declared.content.get("claim", ())]
    return bool(spec.seed >= max(protocol["seeds"], *of_parts, *of_claims))


def declaration_path(results: Path, suite: str) -> Path:
    """Return the path of a suite's declaration in a results folder."""
    return results / SUITES / f"{suite}.json"


def declare(results: Path, suite: Suite) -> Declaration:
    """Write the runs and claims of a suite into a results folder, unless this was done before; return the declaration.

    Raises:
        DamagedRecord, NewerResults: see `read_declaration`.
        StoreError: it cannot be written.
    """
    from mtbench.plan.suite.planned import places, signature  # imports torch, which commands that read do without

    if (there := read_declaration(results, suite.name)) is not None:
        return there
    mark_results(results)
    known = places(suite)
    finished = 0
    for folder in run_folders(results):
        with suppress(StoreError):  # one that cannot be read is no run of the suite
            finished += folder.has_record and signature(folder.known_spec()) in known
    return declare_content(results, suite.name, content(suite), finished)


def declare_content(results: Path, name: str, what: Mapping[str, Any], finished: int) -> Declaration:
    """Write runs and claims under a name into a results folder, unless this was done before; return the declaration.

    Args:
        what: the runs and claims as plain values, by the parts that `content` has.
        finished: the number of these runs that have a record already.

    Raises:
        DamagedRecord, NewerResults: see `read_declaration`.
        StoreError: it cannot be written.
    """
    if (there := read_declaration(results, name)) is not None:
        return there
    mark_results(results)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    plain: dict[str, Any] = json.loads(strict_json(what))
    declared = Declaration(suite=name, at=now, runs=finished, content=plain)
    path = declaration_path(results, name)
    make_folder(path.parent)
    write_text(path, seal("declaration", asdict(declared)))
    return declared


def read_declaration(results: Path, suite: str) -> Declaration | None:
    """Read a suite's declaration and check it against its checksum; None if there is none.

    Raises:
        DamagedRecord: it is no declaration, or was changed after it was written.
        NewerResults: a newer mtbench wrote it.
    """
    return read_sealed("declaration", declaration_path(results, suite), _READER, newest=FORMAT, mend=_MEND)


def _given(part: Any) -> dict[str, Any]:
    """Return the fields of a part that are not at their defaults."""
    return {name: value for name, value, default in _fields(part) if value != default}


def _fields(part: Any) -> Iterator[tuple[str, Any, Any]]:
    for field in dataclasses.fields(part):
        made = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        yield field.name, getattr(part, field.name), made


def _counted(then: Any, now: Any) -> str:
    """Return the numbers of added and removed parts of a list, in parentheses; an empty text for other values."""
    if not isinstance(then, list) or not isinstance(now, list):
        return ""
    counts = {
        "added": sum(part not in then for part in now),
        "removed": sum(part not in now for part in then),
    }
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f" ({said or 'in another order'})"


def _hash(plain: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


_READER = TypeAdapter(Declaration)
