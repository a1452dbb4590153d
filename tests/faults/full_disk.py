"""Runs and a search on a small disk that is full at one write: a script, since the disk is one for this process alone.

It prints a line of JSON for each write.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mtbench.engines.job import execute
from mtbench.errors import StoreError
from mtbench.plan.grid import Request, plan
from mtbench.search import open_study
from mtbench.search.journal.trials import Journal
from mtbench.search.planning import plan_search
from mtbench.search.request import SearchRequest
from mtbench.search.rounds import run_search
from mtbench.store.files import atomic
from mtbench.store.pack.archive import Pack
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.run.folder import RunFolder
from tests.search.worlds import World

DISK = Path(sys.argv[1])
FILLER = DISK / "filler"
PAGE = 4096
"""Bytes that a file on this disk takes at a time."""
VARIES = 20
"""Bytes by which lines of one kind differ in length."""
FILES = ("checkpoint.pt", "curve.jsonl", "model.safetensors", "predictions.npz", "record.json")


def fill() -> None:
    with FILLER.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def is_done(act: Callable[[], object]) -> str:
    try:
        act()
    except StoreError as cause:
        return str(cause)
    return ""


def planned(name: str) -> RunFolder:
    run = RunFolder(DISK / name)
    run.write_spec(plan(Request(methods=["uniform"], datasets=["toy-all"], settings={"epochs": "2"}, seeds=[0]))[0])
    return run


def come_to(run: RunFolder) -> Any:
    record = run.record()
    assert record is not None
    return record.results, record.curve, record.files


def trained(run: RunFolder) -> str:
    return is_done(lambda: execute(run, run.spec(), DISK, "cpu"))


def of_runs() -> None:
    """Let the disk be full when each file is begun."""
    undisturbed = planned("undisturbed")
    assert not trained(undisturbed)
    named = atomic.temporary_name
    for file in FILES:
        run, met = planned(f"run-{file}"), list[Path]()

        def begin(path: Path, file: str = file, met: list[Path] = met) -> Path:
            if path.name == file and not met:
                met.append(path)
                fill()
            return named(path)

        atomic.temporary_name = begin
        said = trained(run)
        atomic.temporary_name = named
        FILLER.unlink()
        left = sorted(set(os.listdir(run.path)) - {"attempts.jsonl", "spec.json", *FILES})
        failed, again = run.failure() is not None, trained(run)
        equal = come_to(run) == come_to(undisturbed)
        print(json.dumps({"file": file, "said": said, "left": left, "failed": failed, "again": again, "equal": equal}))  # noqa: T201


class FullAtJournal(Journal):
    """A journal whose disk is full at a line for which its last page has no space."""

    added: ClassVar[dict[str, int]] = {}

    def add(self, *given: Any) -> None:
        self._watched("add", *given)

    def tell(self, *given: Any) -> None:
        self._watched("tell", *given)

    def _watched(self, what: str, *given: Any) -> None:
        before = self._path.stat().st_size
        if PAGE - before % PAGE < self.added.get(what, 0) - VARIES:
            fill()
        getattr(super(), what)(*given)
        self.added[what] = self._path.stat().st_size - before


def of_a_search() -> None:
    request = SearchRequest(datasets=["toy-all"], methods=["branches"], trials=30, seeds=[1000], retrain=0)
    plans, results = plan_search(request), DISK / "searched"
    (undisturbed,) = run_search(plans, results=DISK / "whole", perform=World(DISK / "whole"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(open_study, "Journal", FullAtJournal)
        said = is_done(lambda: run_search(plans, results=results, perform=World(results)))
    FILLER.unlink()
    (log,) = results.rglob("journal.log")
    is_torn = not log.read_bytes().endswith(b"\n")
    (study,) = run_search(plans, results=results, perform=World(results))
    left = [path.name for path in results.rglob(".*")]
    print(json.dumps({"said": said, "torn": is_torn, "left": left, "equal": study == undisturbed}))  # noqa: T201


def of_a_pack() -> None:
    """Let the disk be full when a pack is begun that replaces another one, after it had room."""
    run, file, named = planned("run"), DISK / "kept.zip", atomic.temporary_name
    assert not trained(run)
    members = collect(DISK, weights=False).members
    write_pack(file, {name: path for name, path in members.items() if not name.endswith("curve.jsonl")}, {})
    before = file.read_bytes()

    def begin(path: Path) -> Path:
        fill()
        return named(path)

    atomic.temporary_name = begin
    said = is_done(lambda: write_pack(file, members, {}))
    atomic.temporary_name = named
    FILLER.unlink()
    left, kept = [path.name for path in DISK.glob(".*")], file.read_bytes() == before
    again, whole = is_done(lambda: write_pack(file, members, {})), sorted(Pack(file).index.members) == sorted(members)
    print(json.dumps({"said": said, "left": left, "kept": kept, "again": again, "whole": whole}))  # noqa: T201


if __name__ == "__main__":
    {"runs": of_runs, "search": of_a_search, "pack": of_a_pack}[sys.argv[2]]()
