"""The content of a pack: which files of results are taken, and why the others are not; of one folder or of several."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtbench.errors import StoreError, shortlist
from mtbench.store.files.reading import inside, is_there, read_bytes, size_of
from mtbench.store.pack.write import pack_size
from mtbench.store.record import Record, render_record
from mtbench.store.results import MARKER, check_results
from mtbench.store.run.folder import RunFolder
from mtbench.store.study import FILE as STUDY
from mtbench.store.study import read_study
from mtbench.store.suites.declaration import read_declaration
from mtbench.store.suites.files import FOLDERS, LOOKS, RESOLUTIONS, SUITES
from mtbench.store.suites.looks import read_look_plan
from mtbench.store.suites.resolutions import read_resolution, unlike_resolutions
from mtbench.store.union import unlike_runs, unlike_studies
from mtbench.store.upkeep.inventory import take_inventory
from mtbench.store.upkeep.space import megabytes
from mtbench.store.upkeep.verify import WRONG, check_run

__all__ = ["Contents", "collect", "part_of", "unite"]

WEIGHTS = "model.safetensors"
TAKEN = ("spec.json", "record.json", "curve.jsonl", "predictions.npz", WEIGHTS)
"""The files of a finished run that a pack may have."""
_REASONS = {
    "failure.json": "failure of an earlier attempt",
    "attempts.jsonl": "log of attempts",
    "files.json": "paths on the machine of the run",
    "log.txt": "log",
}


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Files for a pack or a folder.

    Attributes:
        members: the files by their path below the results folder; they may lie in packs.
        left_out: the reason for each file or folder of the results that is not among them, by its path.
        runs: the folder of each run, as in `members`, by the name of that folder, which ends with its identity.
        searches: the folder of each search, as in `members`, by the identity of the study.
    """

    members: dict[str, Path] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    searches: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes that a pack of them needs at most."""
        return pack_size(self.members)

    def run(self, name: str) -> Path:
        """Return where a run lies."""
        return self.members[f"{self.runs[name]}/record.json"].parent

    def search(self, name: str) -> Path:
        """Return where a search lies."""
        return self.members[f"{self.searches[name]}/{STUDY}"].parent


def collect(results: Path, *, weights: bool, largest: int | None = None) -> Contents:
    """Return what a pack takes of a results folder, or of another pack: finished runs, searches and declarations.

    Args:
        results: the folder or pack.
        weights: True to take the weights of runs where they are.
        largest: bytes of the largest file of predictions that is taken; None for no limit.

    Raises:
        StoreError: there is no such folder or pack, or a file in it does not match its sum; the text names some.
        NewerResults: a newer mtbench wrote it.
    """
    check_results(results)
    if not is_there(results):
        raise StoreError(f"there is no results folder or pack {results}.")
    found, made = take_inventory(results), Contents()
    made.members.update({name: results / name for name in found.shared})
    for folder, names in found.searches.items():
        made.members.update({f"{folder}/{name}": results / folder / name for name in names})
        if STUDY in names:
            made.searches[read_study(results / folder / STUDY).id] = folder
    for folder, names in found.runs.items():
        if "record.json" not in names:
            made.left_out[folder] = _unfinished(results / folder)
            continue
        made.runs[folder.rpartition("/")[2]] = folder
        for name in names:
            path = results / folder / name
            if why := _why_not(path, weights=weights, largest=largest):
                made.left_out[f"{folder}/{name}"] = why
            else:
                made.members[f"{folder}/{name}"] = path
    made.left_out.update(dict.fromkeys(found.superseded, "superseded results"))
    made.left_out.update(dict.fromkeys(found.foreign, "belongs to no run, search or suite"))
    if (pack := inside(results)) is not None:
        made.left_out.update(pack[0].index.left_out)
    _check(results, made)
    return made


def part_of(found: Contents, *, runs: Collection[str], searches: Collection[str], suites: Collection[str]) -> Contents:
    """Return the files of some of the runs, searches and declarations alone.

    Args:
        found: the contents of a pack.
        runs: the names of the folders of runs.
        searches: the identities of studies.
        suites: the names of declarations.
    """
    kept_runs = {name: folder for name, folder in found.runs.items() if name in runs}
    kept_searches = {name: folder for name, folder in found.searches.items() if name in searches}
    folders = {*kept_runs.values(), *kept_searches.values()}
    files = {MARKER, *(f"{SUITES}/{name}.json" for name in suites)}

    def is_kept(name: str) -> bool:
        return name in files or name in folders or name.rpartition("/")[0] in folders

    return Contents(
        members={name: path for name, path in found.members.items() if is_kept(name)},
        left_out={name: why for name, why in found.left_out.items() if is_kept(name)},
        runs=kept_runs,
        searches=kept_searches,
    )


def unite(parts: Sequence[Contents]) -> Contents:
    """Return the files of several results folders and packs together, each run once, in the order of the parts.

    Raises:
        StoreError: one run has different records in two of them, one search different results, or one suite different
            declarations; the text shows both.
    """
    made = Contents()
    for part in parts:
        places = {}  # a run that is there already, perhaps under other titles, keeps its place
        for name, folder in part.runs.items():
            if name in made.runs:
                _check_same_run(made.run(name), part.run(name))
            places[folder] = made.runs.setdefault(name, folder)
        for name, folder in part.searches.items():
            if name in made.searches:
                _check_same_search(made.search(name), part.search(name))
            places[folder] = made.searches.setdefault(name, folder)
        for name, path in part.members.items():
            folder, slash, file = name.rpartition("/")
            known = made.members.setdefault(f"{places.get(folder, folder)}{slash}{file}", path)
            if known != path and (name == MARKER or folder in FOLDERS):
                made.members[name] = _earlier(known, path, name)
        made.left_out.update({name: why for name, why in part.left_out.items() if name not in made.left_out})
    begun = {name.rpartition("/")[0] for name in made.members}
    for name in list(made.left_out):
        if name in made.members or name in begun:  # another part has it
            del made.left_out[name]
    return made


def _check(results: Path, made: Contents) -> None:
    names: dict[str, list[str]] = {}
    for member in made.members:
        folder, _, name = member.rpartition("/")
        names.setdefault(folder, []).append(name)
    wrong = [
        finding
        for folder in made.runs.values()
        for finding in check_run(results / folder, names[folder])
        if finding.kind == WRONG
    ]
    if wrong:
        listed = shortlist((f"{finding.path} ({finding.why})" for finding in wrong), most=3)
        raise StoreError(
            f"{len(wrong)} file{'s' * (len(wrong) > 1)} of {results} changed since the run wrote them: {listed}.",
            mend=f"`mtbench store verify {results}` lists them; restore them, or train the runs again.",
        )


def _why_not(path: Path, *, weights: bool, largest: int | None) -> str:
    """Return why a file of a finished run is left out; empty if it is taken."""
    if path.name == WEIGHTS and not weights:
        return "weights"
    if path.name == "predictions.npz" and largest is not None and (size := size_of(path) or 0) > largest:
        return f"predictions of {megabytes(size)}"
    if path.name not in TAKEN:
        return _REASONS.get(path.name, "checkpoint")
    return ""


def _unfinished(folder: Path) -> str:
    run = RunFolder(folder)
    if run.is_leased:
        return "at work"
    failure = run.failure()
    return f"failed: {failure.message}" if failure else "not finished"


def _check_same_run(first: Path, second: Path) -> None:
    records = [_record(folder) for folder in (first, second)]
    if render_record(records[0]) != render_record(records[1]):
        raise unlike_runs((first, records[0]), (second, records[1]))


def _record(folder: Path) -> Record:
    record = RunFolder(folder).record()
    if record is None:
        raise StoreError(f"{folder} has lost its record.", mend="Give the same command again.")
    return record


def _check_same_search(first: Path, second: Path) -> None:
    if read_bytes(first / STUDY) != read_bytes(second / STUDY):
        raise unlike_studies((first, read_study(first / STUDY)), (second, read_study(second / STUDY)))


def _earlier(first: Path, second: Path, name: str) -> Path:
    """Return the file of two that counts: of marks that of the later format, of sealed files on suites the earlier one.

    Raises:
        StoreError: they declare, plan or resolve different things.
    """
    if name == MARKER:
        formats = [int(json.loads(read_bytes(path))["format"]) for path in (first, second)]
        return second if formats[1] > formats[0] else first
    if name.startswith(f"{LOOKS}/"):
        return _earlier_plan(first, second)
    if name.startswith(f"{RESOLUTIONS}/"):
        return _earlier_resolution(first, second)
    suite = name.removeprefix(f"{SUITES}/").removesuffix(".json")
    declared = [read_declaration(path.parent.parent, suite) for path in (first, second)]
    assert declared[0] is not None
    assert declared[1] is not None
    if declared[0].hash != declared[1].hash:
        raise StoreError(
            f"suite '{suite}' is declared with different content: {first} of {declared[0].at}, and {second} of "
            f"{declared[1].at}.",
            mend="Leave one of the folders out, or remove one of the two.",
        )
    return second if declared[1].at < declared[0].at else first


def _earlier_plan(first: Path, second: Path) -> Path:
    plans = [read_look_plan(path.parents[2], path.stem) for path in (first, second)]
    assert plans[0] is not None
    assert plans[1] is not None
    if (plans[0].looks, plans[0].claims) != (plans[1].looks, plans[1].claims):
        raise StoreError(
            f"the looks at suite '{plans[0].suite}' are planned differently: {first} has {plans[0].listed}, and "
            f"{second} {plans[1].listed}, or their claims differ.",
            mend="Leave one of the folders out: the claims of each are judged by its own plan.",
        )
    return second if plans[1].at < plans[0].at else first


def _earlier_resolution(first: Path, second: Path) -> Path:
    one, other = read_resolution(first), read_resolution(second)
    assert one is not None
    assert other is not None
    if not one.agrees(other):
        raise unlike_resolutions(one, other, (first, second))
    return second if other.at < one.at else first
