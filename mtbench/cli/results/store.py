"""``mtbench store``: results packed into one file, unpacked, merged, verified and pruned."""

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.base.command import App
from mtbench.cli.base.shared import DataRoot, console, data_root
from mtbench.cli.results.verify import EXAMPLES, verify

if TYPE_CHECKING:
    from mtbench.store.pack.contents import Contents

__all__ = ["app", "merge", "pack", "prune", "unpack", "verify"]

app = App(help="Pack results into one file, unpack, merge, verify and prune them.", no_args_is_help=True)

Weights = Annotated[
    bool, typer.Option("--weights", help="Take the weights of runs too, which explain and predict need.")
]
Sources = Annotated[list[Path], typer.Argument(help="Results folders and packs.", metavar="PATH...")]
MOST = 20
"""Lines of one kind that are printed."""


@app.command()
def pack(
    results: Annotated[Path, typer.Argument(help="Results folder.", metavar="DIR")],
    file: Annotated[Path, typer.Argument(help="Pack to write, a file that ends with .zip.", metavar="FILE")],
    weights: Weights = False,
) -> None:
    """Write the finished runs, searches and declared suites of a results folder into one file.

    The same results make the same bytes. The pack has a checksum of each file, and a list of what it leaves out:
    unfinished and failed runs, superseded results, logs, checkpoints, and weights unless --weights is given. Commands
    that read results take a pack in place of a folder.
    """
    from mtbench.errors import UsageError
    from mtbench.store.pack.contents import collect

    if results.resolve() in file.absolute().resolve().parents:
        raise UsageError(f"{file} is in {results}, the folder that is packed.", mend="Give a place outside of it.")
    _write(file, collect(results, weights=weights))


@app.command()
def unpack(
    file: Annotated[Path, typer.Argument(help="Pack.", metavar="FILE")],
    folder: Annotated[Path, typer.Argument(help="Results folder to write, new or existing.", metavar="DIR")],
) -> None:
    """Write the results in a pack as a folder again, in which runs can be added and repeated.

    Nothing is written if the folder has another file of a name.
    """
    from mtbench.store.pack.unpack import missing, write_folder
    from mtbench.store.pack.unpack import unpack as members_of

    members = members_of(file)
    wanted = missing(folder, members)
    _say_size(folder, wanted)
    write_folder(folder, wanted)
    there = len(members) - len(wanted)
    typer.echo(f"{len(wanted)} files are written to {folder}" + (f"; {there} were there already" if there else ""))


@app.command()
def merge(
    sources: Sources,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="Pack (a file that ends with .zip) or folder to write. One that has other runs must be among PATH..., "
            "and keeps them.",
            metavar="PATH",
        ),
    ],
    weights: Weights = False,
) -> None:
    """Write the runs and searches of several results folders and packs into one.

    A run in two of them counts once. If its records differ, both are shown and nothing is written.
    """
    from mtbench.errors import UsageError
    from mtbench.store.files.reading import is_there
    from mtbench.store.pack.contents import collect, unite
    from mtbench.store.pack.index import SUFFIX
    from mtbench.store.pack.unpack import missing, write_folder

    found = unite([collect(path, weights=weights) for path in dict.fromkeys(sources)])
    if is_there(out) and out.resolve() not in {path.resolve() for path in sources}:
        others = collect(out, weights=True).runs.keys() - found.runs.keys()
        if others:
            raise UsageError(
                f"--out {out} has {len(others)} runs that are not among what is merged.",
                mend="Name it too, to keep them.",
            )
    if out.suffix == SUFFIX:
        _write(out, found)
        return
    wanted = missing(out, found.members)
    _say_size(out, wanted)
    write_folder(out, wanted)
    _say_contents(out, found)


app.command("verify", epilog=EXAMPLES)(verify)


@app.command()
def prune(
    results: Annotated[Path, typer.Argument(help="Results folder.", metavar="DIR")],
    kinds: Annotated[
        str,
        typer.Option(
            "--only",
            help="Kinds to remove, separated by commas: superseded (earlier results of retrained runs), stale (runs of "
            "which the code or the data changed since), temporary (files of dead processes, also in the folder of the "
            "data and in reports/local), caches (images in the folder of the data, which the next run makes again).",
            metavar="KINDS",
        ),
    ] = "superseded,stale,temporary",
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    root: DataRoot = None,
) -> None:
    """Show what nobody needs any more and its size, and remove it once confirmed.

    Nothing is removed without --yes, or the word remove typed on a terminal.
    """
    from mtbench.door.given import names
    from mtbench.errors import UsageError, did_you_mean
    from mtbench.report.place import DEFAULT_REPORTS
    from mtbench.store.upkeep.prune import KINDS, find_removable, remove
    from mtbench.store.upkeep.space import megabytes

    wanted = names(kinds)
    for kind in wanted:
        if kind not in KINDS:
            raise UsageError(
                f"--only is '{kind}'.", mend=did_you_mean(kind, KINDS), allowed=f"Allowed: {', '.join(KINDS)}."
            )
    data = data_root(root)
    found = find_removable(results, data, wanted, reports=DEFAULT_REPORTS)
    if not found:
        typer.echo(f"Nothing to remove in {results}.")
        return
    for each in found:
        typer.echo(f"{each.kind} {each.path} {megabytes(each.size)}{f': {each.why}' if each.why else ''}")
    for kind in dict.fromkeys(each.kind for each in found):
        sizes = [each.size for each in found if each.kind == kind]
        typer.echo(f"{len(sizes)} {kind}, {megabytes(sum(sizes))}: {KINDS[kind]}")
    if not yes and not sys.stdin.isatty():
        typer.echo("Nothing is removed without --yes.")
        return
    if not yes and typer.prompt("Type remove to remove them", default="", show_default=False).strip() != "remove":
        typer.echo("Nothing is removed.")
        return
    left = remove(found, results, data)
    for each in left:
        typer.echo(f"{each.path} is left: a process works on it")
    typer.echo(f"Removed {megabytes(sum(each.size for each in found) - sum(each.size for each in left))}.")


def _write(file: Path, found: "Contents") -> None:
    """Write a pack, and say what is in it and what is not."""
    from mtbench.store.pack.write import check_pack_name, write_pack
    from mtbench.store.upkeep.space import megabytes

    check_pack_name(file)
    typer.echo(f"{file} needs {megabytes(found.size)}.")
    write_pack(file, found.members, found.left_out)
    _say_contents(file, found)


def _say_size(folder: Path, members: Mapping[str, Path]) -> None:
    from mtbench.store.files.reading import size_of
    from mtbench.store.upkeep.space import megabytes

    typer.echo(f"{folder} needs {megabytes(sum(size_of(path) or 0 for path in members.values()))}.")


def _say_contents(place: Path, found: "Contents") -> None:
    from mtbench.engines.screen.say import say

    parts = [f"{len(found.runs)} finished run{'s' * (len(found.runs) != 1)}"]
    if found.searches:
        parts.append(f"{len(found.searches)} search{'es' * (len(found.searches) != 1)}")
    out = console()
    say(out, f"{place} has {' and '.join(parts)}, in {len(found.members)} files.", markup=False)
    for why, count in sorted(Counter(found.left_out.values()).items())[:MOST]:
        say(out, f"  left out: {why}{f' ({count} times)' if count > 1 else ''}", style="dim", markup=False)
