"""Seeds and hours that the claims of a suite need, before anything is trained."""

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mtbench.cli.base.shared import WHERE
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from mtbench.door.training.work import Work
    from mtbench.plan.spec import RunSpec
    from mtbench.plan.suite import Suite
    from mtbench.plan.suite.planned import Place
    from mtbench.report.data.comparison import Comparison
    from mtbench.report.exhibits.claims.prospect import Prospect

__all__ = ["Earlier", "places_of", "print_prospects"]

Earlier: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        help="With --suite and --dry-run: further results folders or packs, by whose runs the number of seeds that "
        "each claim needs is planned; may be repeated, or be a pattern in quotes, e.g. 'results/*/*.zip'.",
        metavar="PLACES",
        rich_help_panel=WHERE,
    ),
]

DASH = "\N{EN DASH}"
MANY = ">1000"
_EXPLAINED = (
    "plan: seeds of the suite. First seeds and hours: to detect a difference of the margin, or for equivalence to show "
    "that a difference of 0 is within it. Second seeds and hours: if the difference that earlier runs found is true, "
    "which is likely to be too large. Hours: all seeds of all methods of the claim, {places} at a time. Tests are at "
    "5 % divided by the number of claims in a family ({counts}). std: standard deviation of the difference, by earlier "
    "runs."
)


def places_of(texts: Sequence[str], *, is_dry: bool) -> list[Path]:
    """Return the results folders and packs that texts name, each once; a text may be a pattern.

    Args:
        texts: the texts after ``--from``.
        is_dry: True in a dry run of a suite, which alone may have any.

    Raises:
        UsageError: there is nothing of that name, or it is no dry run of a suite.
    """
    if texts and not is_dry:
        raise UsageError("--from is for the claims of a suite before they are run.", mend="Add --suite and --dry-run.")
    found: dict[Path, None] = {}
    for text in texts:
        paths = sorted(glob.glob(text)) if glob.has_magic(text) else [text] * Path(text).exists()
        if not paths:
            raise UsageError(f"--from names '{text}', and there is no such folder or pack.")
        found |= dict.fromkeys(map(Path, paths))
    return list(found)


def print_prospects(
    suite: "Suite",
    planned: "Mapping[Place, RunSpec]",
    others: Sequence[Path],
    work: "Work",
    out: "Console",
    *,
    seeds: int | None = None,
) -> None:
    """Print per claim the number of seeds that decide it with 80 % power, and the time of their training.

    Args:
        suite: a suite.
        planned: a run of each of its places at the size that is to be trained.
        others: folders and packs with earlier runs besides the results folder; those without any are left out.
        work: devices, data and the results folder of the training.
        out: the console.
        seeds: number of seeds that were asked for; None for those of the suite.

    Raises:
        UsageError, StoreError: earlier runs cannot be read, or there are none in the places that were named.
    """
    from rich.markup import escape
    from rich.table import Table

    from mtbench.cli.base.shared import keeping
    from mtbench.door.contents import read_contents
    from mtbench.engines.screen.say import say
    from mtbench.report.exhibits.claims.prospect import prospects
    from mtbench.store.files.reading import is_there
    from mtbench.store.results import run_folders

    if out.quiet or not suite.claim:
        return
    places = [work.results, *others]
    there = [place for place in places if is_there(place) and run_folders(place, lambda _: None)] or others
    with keeping():
        # Each place by itself: a run with different records in two of them counts once.
        earlier = [run for place in there for run in read_contents(place, work.root).shown]
    found = prospects(suite, planned, earlier)
    sources: dict[str, int] = {}
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for head in ("claim", "plan", "margin", "seeds", "hours", "found", "seeds", "hours", "std", "from"):
        table.add_column(head, overflow="fold", justify="left" if head == "claim" else "right")
    for each in found:
        source = "; ".join(
            dict.fromkeys(_source(*pair, there) for pair in zip(each.comparisons, each.beside, strict=True))
        )
        number = sources.setdefault(source, len(sources) + 1) if source else 0
        cells = (each.words, str(seeds or each.planned or DASH), *_cells(each, work), f"[{number}]" if number else DASH)
        table.add_row(*map(escape, cells))
    families = sorted({sum(other.family == claim.family for other in suite.claim) for claim in suite.claim})
    counts = " or ".join(map(str, families))
    if sources:
        say(
            out,
            "Seeds that decide each claim with 80 % power, and the hours to train them:",
            style="bold",
            markup=False,
        )
        out.print(table)
        told = _EXPLAINED.format(places=len(work.places), counts=counts)
        say(out, told, style="dim", markup=False)
        for source, number in sources.items():
            say(out, f"[{number}] {source}.", style="dim", markup=False)
    for line in _unknown(found, suite):
        say(out, line, style="dim", markup=False)


def _cells(each: "Prospect", work: "Work") -> Iterator[str]:
    margin = each.claim.margin
    known = each.contrast is not None
    yield f"{margin:g}" if margin else DASH
    yield from _plan(each, each.to_margin, work, known=known and bool(margin))
    yield f"{each.contrast.difference:+.3g}" if each.contrast else DASH
    yield from _plan(each, each.to_observed, work, known=known)
    yield f"{each.contrast.std:.3g}" if each.contrast and each.contrast.std else DASH


def _plan(each: "Prospect", seeds: int | None, work: "Work", *, known: bool) -> tuple[str, str]:
    """Return a number of seeds, and the hours that these seeds of all methods of a claim take."""
    from mtbench.report.text import duration

    if not known or seeds is None:
        return (MANY if known else DASH), DASH
    specs = [replace(spec, seed=seed) for spec in each.specs for seed in range(seeds)]
    seconds = work.seconds(specs)
    return str(seeds), DASH if seconds is None else duration(seconds / 3600)


def _source(comparison: "Comparison", spec: "RunSpec", there: Sequence[Path]) -> str:
    """Return in words which earlier runs tell a spread, and in what their training protocol differs from that of a
    planned run."""
    from mtbench.contract.options import render_value
    from mtbench.report.exhibits.claims.prospect import EQUAL

    seeds = sorted({len(method.records) for method in comparison.methods})
    folders = [
        str(place)
        for place in there
        if any(run.folder.is_relative_to(place) for method in comparison.methods for run in method.runs)
    ]
    unlike = [
        f"{field.name} {render_value(theirs)} in place of {render_value(ours)}"
        for field in fields(spec.protocol)
        if field.name not in EQUAL
        and (theirs := getattr(comparison.protocol, field.name)) != (ours := getattr(spec.common_protocol, field.name))
    ]
    told = f"{' or '.join(map(str, seeds))} seeds at protocol {comparison.title} in {', '.join(folders)}"
    return told + (f"; {', '.join(unlike)}" if unlike else "")


def _unknown(found: "Sequence[Prospect]", suite: "Suite") -> Iterator[str]:
    lacking = [each for each in found if each.contrast is None]
    if lacking:
        yield (
            f"The spread is unknown of {len(lacking)} of {len(found)} claims: there are no earlier runs of all their "
            "methods with two seeds or more. Name results with --from, or train two seeds first (--seeds 2)."
        )
    if suite.judges == "tuned":
        yield "The claims are about tuned runs: earlier runs have default settings, and times are without the search."
