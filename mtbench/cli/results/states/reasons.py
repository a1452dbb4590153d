"""The reasons for the state of one run, on the screen: ``mtbench status --why``."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from mtbench.cli.base.shared import grid
from mtbench.cli.results.states.attempts import attempts_table
from mtbench.cli.results.states.queued import waiting_line
from mtbench.cli.training.shown.grid import STYLES
from mtbench.engines.screen.say import capped, say
from mtbench.plan.command import run_command
from mtbench.store.files.reading import files_below
from mtbench.store.identity.changed import FileChange, changed_files, has_hashes
from mtbench.store.identity.compared import DATA, Compared, compared
from mtbench.store.record import Record
from mtbench.store.run.attempting import known_attempts
from mtbench.store.run.folder import LOG, RunFolder
from mtbench.store.status import RunStatus
from mtbench.store.upkeep.verify import ABSENT, check_run

__all__ = ["print_state"]

_DIGITS = 12
"""Digits of hashes that are shown."""
_LINES = 12
"""Lines of a traceback that are shown."""


def print_state(run: RunStatus, root: Path, out: Console) -> None:
    """Print why a run is in its state, and what was compared.

    Args:
        run: the run.
        root: the folder of the data files.
        out: the console.
    """
    titles = run.spec.titles
    say(out, f"{titles.dataset}, {titles.protocol}: {titles.method}, seed {run.spec.seed}", markup=False)
    say(out, f"run {run.spec.id} is [{STYLES.get(run.state, 'green')}]{run.state}[/]: {escape(_why(run))}")
    say(out, f"In {run.folder}", style="dim", markup=False)
    if run.record:
        _print_record(run.record, root, out)
        say(out, f"Level of trust: {run.level}", markup=False)
    for line in _lines(run):
        say(out, line, markup=False)
    if line := waiting_line(run):
        say(out, line, markup=False)
    if (attempts := attempts_table(known_attempts(run.folder))) is not None:
        out.print(attempts)
    if run.state in ("stale", "failed", "damaged", "missing") and not run.spec.trial:
        again = "" if run.state == "missing" else f" --refresh {run.state}"
        say(out, f"Train it{' again' * bool(again)}: {run_command([run.spec])}{again}", markup=False)


def _why(run: RunStatus) -> str:
    if run.state == "fresh":
        return "everything that makes its numbers is as in its record."
    if run.state == "missing":
        return "it has no record, and no process works on it."
    if run.state == "running":
        return f"{RunFolder(run.folder).holder or 'its process is about to start'}."
    return run.why if run.why.endswith(".") else f"{run.why}."


def _print_record(record: Record, root: Path, out: Console) -> None:
    environment = record.environment
    say(
        out,
        f"Finished {record.finished} by mtbench {environment.mtbench}, Python {environment.python}, on "
        f"{record.numerics.processor}",
        style="dim",
        markup=False,
    )
    everything = list(compared(record, root))
    found = grid("compared", "in the record", "now", "")
    for each in everything:
        found.add_row(*map(escape, _row(each, record)))
    out.print(found)
    for each in everything:
        if each.change and each.name != "NUMERICS":
            for line in _files(each, record, root):
                say(out, line, markup=False)


def _row(each: Compared, record: Record) -> tuple[str, str, str, str]:
    name = each.name if each.name in ("NUMERICS", DATA) else f"{each.name} {getattr(record.spec, each.name).name}"
    before, now = (
        f"{value[:_DIGITS]}{f' ({version})' if version else ''}"
        for value, version in zip((each.recorded, each.present), each.versions, strict=True)
    )
    return name, before or "none", now or "not here", "changed" if each.change else "same" if now else ""


def _files(each: Compared, record: Record, root: Path) -> Iterator[str]:
    """Yield sentences on the files in which a part differs."""
    changes = changed_files(each, record, root)
    if has_hashes(each):
        yield from map(_hashes, changes)
        return
    what = "the data" if each.name == DATA else f"the {each.name}"
    said = f"The record has no hashes of single files of {what}"
    if not changes:
        yield f"{said}, and none of them is newer than the run."
    elif len(changes) == len(each.modules[1]) > 1:
        yield f"{said}, and all {len(changes)} are newer than the run, as after a checkout."
    else:
        yield f"{said}. Newer than the run:"
        yield from capped([f"  {change.path}, of {change.at:%Y-%m-%d %H:%M:%S} UTC" for change in changes])
    if each.name == DATA:
        yield f"`mtbench data verify {record.spec.titles.dataset}` compares data with known checksums."


def _hashes(change: FileChange) -> str:
    before, now = change.recorded[:_DIGITS] or "none", change.present[:_DIGITS] or "none"
    return f"{change.name}: hash {before} -> {now}{f' ({change.path})' if change.path else ''}"


def _lines(run: RunStatus) -> Iterator[str]:
    """Yield sentences on the files of a run."""
    folder = RunFolder(run.folder)
    names = [name for name in files_below(run.folder) if "/" not in name]
    for finding in check_run(run.folder, names):
        if run.state == "damaged" and finding.path.name == "record.json":
            continue  # the state says it
        if finding.kind == ABSENT:
            yield f"{finding.path.name} is in its record and not here"
        else:
            yield f"{finding.path.name}: {finding.why or 'no sum of it was recorded'}"
    if run.state in ("missing", "failed", "running") and folder.has_checkpoint:
        yield "It has a checkpoint, from which it is resumed."
    if run.state == "failed" and (failure := folder.failure()):
        if failure.signal is not None:
            yield f"Its process was ended by signal {failure.signal}."
        lines = failure.traceback.splitlines()
        yield from lines[-_LINES:]
    if run.state in ("failed", "running") and LOG in names:
        yield f"Its output is in {run.folder / LOG}"
