"""``mtbench store verify``: files against their sums, metrics derived again, and runs retrained."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base.shared import DataRoot, Device, console, data_root, whole_number
from mtbench.cli.training.execution import stoppable

if TYPE_CHECKING:
    from mtbench.door.checks.recompute import Recomputed
    from mtbench.door.checks.rerun import Rerun
    from mtbench.store.upkeep.verify import Finding, Verified

__all__ = ["EXAMPLES", "verify"]

EXAMPLES = """Examples:

  mtbench store verify results/local
  mtbench store verify --recompute stranger.zip
  mtbench store verify --recompute --rerun 2 --draw 3f2a91c stranger.zip
"""
CHECKS = "Checks"
"""Group of options in the help text."""
MOST = 20
"""Lines of one kind that are printed."""


def verify(
    sources: Annotated[list[Path], typer.Argument(help="Results folders and packs.", metavar="PATH...")],
    derive: Annotated[
        bool,
        typer.Option(
            "--recompute",
            help="Derive every metric of the test split again, from the stored predictions and the labels of the "
            "dataset on this machine: it must be equal to the last digit. Nothing is trained.",
            rich_help_panel=CHECKS,
        ),
    ] = False,
    reruns: Annotated[
        int,
        whole_number(
            "--rerun",
            "Train this many runs of each PATH again, in a temporary folder, and compare them: by bits if code, data "
            "and numerics are those of the record, else with the prediction interval of the seeds. The runs are drawn "
            "by the sums of all records.",
            limit="runs",
            low=0,
            rich_help_panel=CHECKS,
        ),
    ] = 0,
    salt: Annotated[
        str,
        typer.Option(
            "--draw",
            help="A text that enters the draw of --rerun and that the sender could not know, such as the hash of a "
            "later commit; without it a sender may seal records until a draw suits.",
            metavar="TEXT",
            rich_help_panel=CHECKS,
        ),
    ] = "",
    root: DataRoot = None,
    device: Device = "auto",
) -> None:
    """Compare every file of results folders and packs with what is recorded of it; exit with 1 if one is wrong.

    Records, studies and declarations have checksums of their own; a record has those of its predictions and weights,
    and its curve; a pack has one of every file. Files that belong to no run, search or suite are named.

    Runs whose checksums hold are reported; --recompute makes them recomputed, --rerun re-executed. The levels are
    kept in verified.json of a folder, or in PACK.verified.json, never in a pack, and reports show them.
    """
    from mtbench.store.upkeep.verify import verify as check_files

    sound = True
    for path in sources:
        found = check_files(path)
        sound &= found.is_sound
        _say_files(path, found)
        if derive or reruns:
            sound &= _check(path, found, derive, reruns, salt, data_root(root), device)
    if not sound:
        raise typer.Exit(1)


def _say_files(path: Path, found: "Verified") -> None:
    """Print what is wrong with files, and how many there are."""
    from mtbench.store.upkeep.space import megabytes
    from mtbench.store.upkeep.verify import WRONG

    for finding in [each for each in found.findings if each.kind == WRONG]:
        typer.echo(f"{finding.path}: {finding.why}")
    for line in _counted(found.findings):
        typer.echo(line)
    wrong = sum(finding.kind == WRONG for finding in found.findings)
    result = f"{wrong} are wrong" if wrong else "every file is as it was recorded"
    runs = f"{found.runs} finished run{'s' * (found.runs != 1)}"
    typer.echo(f"{path}: {runs}, {found.files} files, {megabytes(found.size)}: {result}")


def _check(path: Path, found: "Verified", derive: bool, reruns: int, salt: str, root: Path, device: str) -> bool:
    """Derive metrics again and train runs again, print what was found, and return True if nothing differs."""
    from mtbench.engines.screen.say import say

    out = console()

    def note(line: str) -> None:
        say(out, line, style="dim", markup=False)

    with stoppable():
        from mtbench.door.checks.verify import check
        from mtbench.engines.local.slots import slots
        from mtbench.engines.screen.display import choose_display

        checked = check(
            path,
            found,
            root,
            derive=derive,
            reruns=reruns,
            places=lambda: slots(device, 1, 1),
            display=lambda total: choose_display(out, total, quiet=False),
            say=note,
            salt=salt,
        )
    if checked.recomputed is not None:
        for line in _of_recomputed(path, checked.recomputed):
            say(out, line, markup=False)
    for line in _of_reruns(path, checked.reruns, asked=reruns > 0):
        say(out, line, markup=False)
    for line in checked.said:
        say(out, line, style="yellow", markup=False)
    return checked.is_sound


def _of_recomputed(path: Path, found: "Recomputed") -> Iterator[str]:
    """Yield the lines on metrics that were derived again."""
    from mtbench.door.checks.runs import named
    from mtbench.engines.screen.say import capped

    lines: dict[str, list[str]] = {}
    for run, differences in found.differing:
        for each in [str(difference) for difference in differences] or ["a file of it is wrong"]:
            lines.setdefault(each, []).append(run.name)
    alike = [f"{names[0] if len(names) == 1 else f'{len(names)} runs'}: {line}" for line, names in lines.items()]
    yield from alike if len(alike) <= 5 * MOST else capped(alike)
    for why, runs in found.unverifiable.items():
        yield f"{len(runs)} unverifiable: {why}: {named(runs)}"
    without: dict[tuple[str, ...], int] = Counter(found.without.values())
    for names, count in without.items():
        yield f"{count} recomputed without {', '.join(names)}, which needs more than what is stored"
    if found.rounded:
        yield f"{len(found.rounded)} of them with sums that are equal to nine digits: their numerics are not these"
    counts = (
        f"{len(found.equal)} recomputed",
        f"{sum(map(len, found.unverifiable.values()))} unverifiable",
        f"{len(found.differing)} differing",
    )
    yield f"{path}: {', '.join(counts)}"


def _of_reruns(path: Path, reruns: "Sequence[Rerun]", *, asked: bool) -> Iterator[str]:
    """Yield the lines on runs that were retrained."""
    from mtbench.door.checks.rerun import BITS, DIFFERS, FAILED, INTERVAL, OUTCOMES, UNDECIDED

    for each in reruns:
        yield f"{each.run.name}: {OUTCOMES[each.outcome]} ({each.by})"
        for value in each.values:
            reach = "" if value.interval is None else f", interval {value.interval[0]:.6g} to {value.interval[1]:.6g}"
            yield f"  {value.task}, {value.metric}: stored {value.stored!r}, again {value.again!r}{reach}"
    if asked:
        counts = Counter(each.outcome for each in reruns)
        words = {
            BITS: "equal to the bit",
            INTERVAL: "within the interval",
            UNDECIDED: "undecided",
            DIFFERS: "different",
            FAILED: "failed",
        }
        said = [f"{counts[outcome]} {word}" for outcome, word in words.items() if counts[outcome]]
        yield f"{path}: {len(reruns)} retrained{': ' if said else ''}{', '.join(said)}"


def _counted(findings: "Sequence[Finding]") -> list[str]:
    """Return a line for each kind of file that is not wrong and yet worth a word."""
    from mtbench.store.upkeep.verify import ABSENT, FOREIGN, UNSUMMED

    lines = []
    for kind, words in ((ABSENT, "recorded, and not here"), (UNSUMMED, "no sum recorded")):
        counts = Counter(finding.path.name for finding in findings if finding.kind == kind)
        lines += [f"{words}: {name} of {count} run{'s' * (count != 1)}" for name, count in sorted(counts.items())]
    return lines + [f"{finding.path} belongs to nothing" for finding in findings if finding.kind == FOREIGN]
