"""A results folder: many runs, and a mark with the format of the mtbench that made them."""

import json
from collections.abc import Sequence
from pathlib import Path

from mtbench import __version__
from mtbench.errors import StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.atomic import make_folder, write_text
from mtbench.store.folder import RunFolder
from mtbench.store.reading import files_below, is_there, read_bytes, refuse_pack
from mtbench.store.record import FORMAT, newer

__all__ = ["MARKER", "check_results", "find_runs", "mark_results", "run_folders"]

MARKER = "mtbench-results.json"


def check_results(results: Path) -> int | None:
    """Check that this mtbench can read the folder, and return its format; None if it has no mark yet.

    Raises:
        NewerResults: a newer mtbench made it.
        StoreError: its mark cannot be read.
    """
    path = results / MARKER
    try:
        found = int(json.loads(read_bytes(path))["format"])
    except FileNotFoundError:
        return None
    except NotADirectoryError as cause:
        raise StoreError(
            f"{results} is no folder, or lies below a file.", mend="Give another folder with --results."
        ) from cause
    except (OSError, ValueError, KeyError, TypeError) as cause:
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


def run_folders(results: Path) -> list[RunFolder]:
    """Return every run below a folder or in a pack, superseded ones left out, in the order of their paths.

    Raises:
        NewerResults: a newer mtbench made the folder.
        StoreError: there is no such folder or pack.
    """
    check_results(results)
    if not is_there(results):
        raise StoreError(f"there is no results folder {results}.", mend="Name one with --results.")
    specs = (name for name in files_below(results) if name.rpartition("/")[2] == "spec.json")
    return [RunFolder((results / name).parent) for name in specs]


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
