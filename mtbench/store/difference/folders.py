"""Two results folders or packs, compared run by run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from mtbench.errors import NewerResults, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite.stages.resolution import Resolution
from mtbench.store.difference.records import RecordDifference, compare_records
from mtbench.store.files.reading import files_below, read_bytes
from mtbench.store.record import Record
from mtbench.store.record.sealed import strict_json
from mtbench.store.results import run_folders
from mtbench.store.run.folder import RunFolder
from mtbench.store.study import Study, read_studies
from mtbench.store.suites.declaration import SUITES, Declaration, read_declaration
from mtbench.store.suites.resolutions import read_resolutions

__all__ = ["Difference", "Line", "Pair", "compare_results"]

_CIRCUMSTANCES = ("spent", "optuna")
"""Fields of a search that are no part of its findings."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A run that has a record on both sides.

    Attributes:
        spec: the request for the run.
        difference: the differences of the records; None if the files are the same to the byte.
    """

    spec: RunSpec
    difference: RecordDifference | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A search, a declared suite or the weights of a row: a sentence, and whether both sides have it and the same."""

    says: str
    same: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The differences of two results folders or packs.

    Attributes:
        counts: the number of finished runs on each side.
        alone: the finished runs that one side alone has, of each side.
        unfinished: the runs without a record, of each side, which are not compared.
        pairs: the runs that have a record on both sides.
        searches: the searches.
        suites: the declared suites, and the weights of their rows that take them from other rows.
        unread: sentences on what cannot be read.
    """

    counts: tuple[int, int]
    alone: tuple[Sequence[RunSpec], Sequence[RunSpec]]
    unfinished: tuple[Sequence[RunSpec], Sequence[RunSpec]]
    pairs: Sequence[Pair]
    searches: Sequence[Line]
    suites: Sequence[Line]
    unread: Sequence[str]

    @property
    def is_none(self) -> bool:
        """True if both have the same finished runs, with equal numbers, code and data, the same searches and suites,
        and everything can be read."""
        return not (
            any(self.alone)
            or self.unread
            or any(pair.difference and not _is_equal(pair.difference) for pair in self.pairs)
            or not all(line.same for line in (*self.searches, *self.suites))
        )


def compare_results(first: Path, second: Path) -> Difference:
    """Compare the finished runs, the searches and the declared suites of two results folders or packs.

    Records are compared, not the files beside them, of which records have sums.

    Raises:
        StoreError: there is no such folder or pack.
        NewerResults: a newer mtbench made one of them.
    """
    one, other = _Side(first), _Side(second)
    shared = [name for name in one.finished if name in other.finished]
    pairs = [pair for name in shared if (pair := _pair(one, other, name)) is not None]
    return Difference(
        counts=(len(one.finished), len(other.finished)),
        alone=(one.specs(one.finished.keys() - other.finished), other.specs(other.finished.keys() - one.finished)),
        unfinished=(one.specs(one.unfinished), other.specs(other.unfinished)),
        pairs=sorted(pairs, key=lambda pair: _order(pair.spec)),
        searches=list(_searches(one, other)),
        suites=[*_suites(one, other), *_resolutions(one, other)],
        unread=[*one.unread, *other.unread],
    )


class _Side:
    """One of the two results folders or packs.

    Attributes:
        finished: the folders of runs that have a record, by the name of the folder, which ends with the identity.
        unfinished: the folders of the others likewise.
        unread: sentences on what cannot be read.
    """

    def __init__(self, results: Path) -> None:
        self.results = results
        self.unread = list[str]()
        self.finished = dict[str, RunFolder]()
        self.unfinished = dict[str, RunFolder]()
        for folder in run_folders(results, self.unread.append):
            there = self.finished if folder.has_record else self.unfinished
            there.setdefault(folder.path.name, folder)
        self.unfinished = {name: run for name, run in self.unfinished.items() if name not in self.finished}

    def record(self, name: str) -> Record | None:
        """Return the record of a finished run; None if it cannot be read, which `unread` says then."""
        try:
            return self.finished[name].record()
        except NewerResults:
            raise
        except StoreError as cause:
            self.unread.append(str(cause))
            return None

    def specs(self, names: "Sequence[str] | set[str] | Mapping[str, RunFolder]") -> list[RunSpec]:
        """Return the specs of some runs in their order; without those that cannot be read, which `unread` says."""
        found = []
        for name in names:
            try:
                found.append((self.finished.get(name) or self.unfinished[name]).known_spec())
            except NewerResults:
                raise
            except StoreError as cause:
                self.unread.append(str(cause))
        return sorted(found, key=_order)

    @cached_property
    def studies(self) -> dict[str, Study]:
        """The searches by their identity."""
        return {study.id: study for study in read_studies(self.results, self.unread.append)}

    @cached_property
    def declarations(self) -> dict[str, Declaration]:
        """The declared suites by name."""
        found = dict[str, Declaration]()
        for name in files_below(self.results / SUITES):
            if name.endswith(".json") and "/" not in name:
                try:
                    declared = read_declaration(self.results, name.removesuffix(".json"))
                except NewerResults:
                    raise
                except StoreError as cause:
                    self.unread.append(str(cause))
                else:
                    found |= {declared.suite: declared} if declared else {}
        return found

    @cached_property
    def resolutions(self) -> dict[tuple[object, ...], Resolution]:
        """The weights of rows of the second stage, by row."""
        return {each.row: each for each in read_resolutions([self.results], self.unread)}


def _pair(one: _Side, other: _Side, name: str) -> Pair | None:
    """Return the comparison of a run; None if one of its records cannot be read."""
    mine = one.record(name)
    if mine is not None and _same_bytes(one.finished[name], other.finished[name]):
        return Pair(spec=mine.spec, difference=None)
    theirs = other.record(name)
    if mine is None or theirs is None:
        return None
    return Pair(spec=mine.spec, difference=compare_records(mine, theirs))


def _same_bytes(one: RunFolder, other: RunFolder) -> bool:
    with suppress(OSError, StoreError):
        return read_bytes(one.path / "record.json") == read_bytes(other.path / "record.json")
    return False


def _is_equal(difference: RecordDifference) -> bool:
    return difference.has_equal_numbers and not difference.code


def _searches(one: _Side, other: _Side) -> Iterator[Line]:
    for name in dict.fromkeys([*one.studies, *other.studies]):
        mine, theirs = one.studies.get(name), other.studies.get(name)
        known = mine or theirs
        assert known is not None
        title = f"search on {known.dataset}, {known.titles.method}"
        if mine is None or theirs is None:
            yield Line(says=f"{title}: in {other.results if mine is None else one.results} alone", same=False)
            continue
        unlike = [part for part, value in _findings(mine).items() if value != _findings(theirs)[part]]
        counts = f"{mine.finished} and {theirs.finished} finished trials, which differ in {', '.join(unlike)}"
        yield Line(says=f"{title}: {counts if unlike else 'same'}", same=not unlike)


def _findings(study: Study) -> dict[str, str]:
    """Return the fields of a search as texts, equal for equal values."""
    return {
        name: strict_json(value, sort_keys=True) for name, value in asdict(study).items() if name not in _CIRCUMSTANCES
    }


def _suites(one: _Side, other: _Side) -> Iterator[Line]:
    for name in dict.fromkeys([*one.declarations, *other.declarations]):
        mine, theirs = one.declarations.get(name), other.declarations.get(name)
        if mine is None or theirs is None:
            where = other.results if mine is None else one.results
            yield Line(says=f"suite {name}: declared in {where} alone", same=False)
        elif mine.hash != theirs.hash:
            yield Line(says=f"suite {name}: declared with other content, on {mine.at} and on {theirs.at}", same=False)
        else:
            yield Line(says=f"suite {name}: declared with the same content", same=True)


def _resolutions(one: _Side, other: _Side) -> Iterator[Line]:
    for row in dict.fromkeys([*one.resolutions, *other.resolutions]):
        mine, theirs = one.resolutions.get(row), other.resolutions.get(row)
        known = mine or theirs
        assert known is not None
        settings = "".join(f", {name}={value}" for name, value in known.variation)
        title = f"suite {known.suite}, {known.size}: weights of {known.method} on {known.dataset}{settings}"
        if mine is None or theirs is None:
            yield Line(says=f"{title}, in {other.results if mine is None else one.results} alone", same=False)
        elif mine.agrees(theirs):
            yield Line(says=f"{title}, the same", same=True)
        else:
            runs = "" if mine.runs == theirs.runs else ", of other runs"
            yield Line(says=f"{title}, {mine.listed} and {theirs.listed}{runs}", same=False)


def _order(spec: RunSpec) -> tuple[str, str, str, int]:
    titles = spec.titles
    return titles.dataset, titles.method, titles.protocol, spec.seed
