"""Submissions: for each array a folder in the results folder, with its runs, its script and its output.

The folder ``.slurm/NAME`` is complete before the array is submitted, and NAME is the name of the job. So the folder and
Slurm's queue together say which runs wait or run, whatever has become of the command that submitted them.
"""

import json
import secrets
import shlex
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mtbench import __version__
from mtbench.engines.slurm.queue import Entry, Place
from mtbench.engines.slurm.script import render_script
from mtbench.errors import StoreError
from mtbench.store.files.atomic import make_folder, write_text
from mtbench.store.files.guard import Refused, read_guarded

__all__ = ["FOLDER", "Submission", "in_queue", "new_name", "read_submissions", "remove_finished", "write_submission"]

FOLDER = ".slurm"
"""The folder of submissions, in a results folder."""
_FILE = "submission.json"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """An array that was submitted, or was to be.

    Attributes:
        name: its name, and that of its job.
        made: the time, in UTC.
        mtbench: the version of mtbench that made it.
        command: the command that submits it, as in a shell.
        elements: the folders of the runs of each element, relative to the results folder.
    """

    name: str
    made: str
    mtbench: str
    command: str
    elements: tuple[tuple[str, ...], ...]


def new_name() -> str:
    """Return a name that no other submission has."""
    return f"mtbench-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def write_submission(
    results: Path, name: str, elements: Sequence[Sequence[str]], command: Sequence[str], sbatch: Sequence[str]
) -> Path:
    """Write the folder of a submission, and return its path.

    Args:
        results: the results folder; an absolute path.
        name: the name of the submission.
        elements: see `Submission`.
        command: the words that execute runs (see `mtbench.engines.slurm.script.render_script`).
        sbatch: the words that submit it.

    Raises:
        StoreError: it cannot be written.
    """
    folder = results / FOLDER / name
    made = Submission(
        name=name,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        mtbench=__version__,
        command=shlex.join(sbatch),
        elements=tuple(map(tuple, elements)),
    )
    make_folder(folder)
    specs = [[results / run / "spec.json" for run in runs] for runs in elements]
    write_text(folder / "script.sh", render_script(name, specs, command))
    write_text(folder / _FILE, json.dumps(asdict(made), indent=1) + "\n")
    return folder


def read_submissions(results: Path, names: Collection[str] | None = None) -> list[Submission]:
    """Return the submissions of a results folder, those of some names or all, the latest first.

    Raises:
        StoreError: one cannot be read.
    """
    there = sorted((name for name in _names(results) if names is None or name in names), reverse=True)
    return [_read(results / FOLDER / name / _FILE) for name in there]


def in_queue(
    submissions: Iterable[Submission], queue: Mapping[Place, Entry]
) -> Iterator[tuple[Place, Entry, tuple[str, ...]]]:
    """Yield the elements of submissions that are in the queue, each with its runs (see `Submission.elements`)."""
    for submission in submissions:
        for index, runs in enumerate(submission.elements):
            if entry := queue.get(place := Place(submission.name, index)):
                yield place, entry, runs


def remove_finished(results: Path, queued: Collection[str]) -> None:
    """Remove the folders of submissions that are in the queue no longer, and whose runs all have a record.

    One that cannot be read is left as it is, since nothing depends on it any more.
    """
    for name in [name for name in _names(results) if name not in queued]:
        try:
            elements = _read(results / FOLDER / name / _FILE).elements
        except StoreError:
            continue
        runs = (run for element in elements for run in element)
        if all((results / run / "record.json").exists() for run in runs):
            shutil.rmtree(results / FOLDER / name, ignore_errors=True)


def _names(results: Path) -> Iterator[str]:
    return (path.parent.name for path in (results / FOLDER).glob(f"mtbench-*/{_FILE}"))


def _read(path: Path) -> Submission:
    try:
        return _READER.validate_json(read_guarded(path))
    except (OSError, Refused, ValidationError) as cause:
        raise StoreError(
            f"{path} is not the file of a submission.",
            mend="Remove its folder, once the jobs of its name are not in the queue any more.",
        ) from cause


_READER = TypeAdapter(Submission)
