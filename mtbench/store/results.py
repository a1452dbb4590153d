"""A results folder: many runs, and a mark with the format of the mtbench that made them."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from mtbench import __version__
from mtbench.errors import NewerResults, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.files.atomic import make_folder, write_text
from mtbench.store.files.guard import SHORT, read_guarded
from mtbench.store.files.reading import files_below, is_there, refuse_pack
from mtbench.store.record import FORMAT, newer
from mtbench.store.run.folder import RunFolder

__all__ = ["MARKER", "check_results", "find_runs", "mark_results", "run_folders"]

MARKER = "mtbench-results.json"
SUPERSEDED = re.compile(r"superseded-\d+")
"""Folders of earlier results, in those of their runs."""
_RUN = re.compile(r"seed-\d+-[0-9a-f]{12}")


def check_results(results: Path) -> int | None:
    """Check that this mtbench can read the folder, and return its format; None if it has no mark yet.

    Raises:
        NewerResults: a newer mtbench made it.
        StoreError: its mark cannot be read.
    """
    path = results / MARKER
    try:
        found = int(json.loads(read_guarded(path, SHORT))["format"])
    except FileNotFoundError:
        return None
    except NotADirectoryError as cause:
        raise StoreError(
            f"{results} is no folder, or lies below a file.", mend="Give another folder with --results."
        ) from cause
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as cause:
        raise StoreError(
            f"{path} cannot be read ({type(cause).__name__}: {cause}).", mend="Delete it: the next run writes it again."
        ) from cause
    if found > FORMAT:
        raise newer(str(path), found)
    return found


def mark_results(results: Path) -> None:
    """Make the folder if necessary, and mark it with the present format.

    A folder of an earlier format gets a new mark, since an earlier mtbench cannot read the runs that are added to it.

    Raises:
        NewerResults: a newer mtbench made it.
        StoreError: it cannot be written to, as a pack.
    """
    refuse_pack(results)
    found = check_results(results)
    make_folder(results)
    if found != FORMAT:
        text = json.dumps({"format": FORMAT, "made_by": f"mtbench {__version__}"}, indent=1)
        write_text(results / MARKER, text + "\n")


def run_folders(results: Path, unread: Callable[[str], None] | None = None) -> list[RunFolder]:
    """Return every run below a folder or in a pack, superseded ones left out, in the order of their paths.

    A run has a spec or a record.

    Args:
        results: the folder or the pack.
        unread: called with a sentence on each part that cannot be read, which is left out. Without it a mark that
            cannot be read is an error.

    Raises:
        NewerResults: a newer mtbench made the folder.
        StoreError: there is no such folder or pack.
    """
    listen = unread or (lambda _: None)
    try:
        check_results(results)
    except NewerResults:
        raise
    except StoreError as cause:
        if unread is None or not is_there(results):
            raise
        unread(str(cause))
    if not is_there(results):
        raise StoreError(f"there is no results folder {results}.", mend="Name one with --results.")
    names: dict[str, set[str]] = {}
    for path in files_below(results, listen):
        folder, _, name = path.rpartition("/")
        names.setdefault(folder, set()).add(name)
    found = []
    for folder, files in sorted(names.items()):
        last = folder.rpartition("/")[2]
        if not files.isdisjoint(("spec.json", "record.json")):
            if not SUPERSEDED.fullmatch(last):
                found.append(RunFolder(results / folder))
        elif _RUN.fullmatch(last):
            listen(f"{results / folder} has neither a spec nor a record, and is left out.")
    return found


def find_runs(results: Path, specs: Sequence[RunSpec]) -> list[RunFolder]:
    """Return the folder of each run, existing or still to be made.

    A run is known by its identity, so that it is also found if it was made under another title, e.g. before a plug-in
    gave its composition a name.
    """
    there = {path.name: path for path in sorted(results.glob("*/*/seed-*"), reverse=True)}
    folders = []
    for spec in specs:
        path = results / spec.folder
        folders.append(RunFolder(path if path.is_dir() else there.get(path.name, path)))
    return folders
