"""Print what suites cost and decide at the size that they declare, as a Markdown table: ``python -m results.costs``.

Core hours are those of one core of the machine that prints them: by the speeds that it stores of finished runs, else by
steps that it times, else derived by multiply-accumulates (see `mtbench.engines.forecast`). A suite whose data are not
there, so that no speed is known, has a dash. Whether the planned seeds decide a claim is estimated from the spread of
kept runs (see `mtbench.report.exhibits.claims.prospect`), mostly of smaller sizes.
"""

import argparse
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mtbench.door.contents import read_contents
from mtbench.door.given import data_root
from mtbench.engines.forecast import speeds_of
from mtbench.errors import MtbenchError
from mtbench.plan.suite.built_in import built_in_suites
from mtbench.plan.suite.file import find_suite
from mtbench.plan.suite.planned import plan_suite, planned_places
from mtbench.report.exhibits.claims.prospect import Prospect, prospects
from mtbench.report.text import duration
from mtbench.store.status import RunStatus
from mtbench.train.cost.speeds import seconds_at

RESULTS = Path(__file__).resolve().parent
DASH = "\N{EN DASH}"
HEADER = ("suite", "size", "runs", "core hours", "GPU hours", "claims", "by the margin", "as found", "spread unknown")


def core_hours(name: str, root: Path) -> float | None:
    """Return the hours that the runs of a suite take on one core; None if no speed is known.

    A run of unknown speed counts as the mean of the others.

    Args:
        name: the suite.
        root: the folder of the data files.
    """
    specs = plan_suite(find_suite(name))
    speeds = speeds_of(specs, root=root, device="cpu")
    known = [seconds_at(speed, spec) for speed, spec in zip(speeds, specs, strict=True) if speed is not None]
    return sum(known) / len(known) * len(specs) / 3600 if known else None


def decided(found: Sequence[Prospect]) -> tuple[int, int, int]:
    """Return the numbers of claims that the planned seeds decide with 80 % power: if the difference is the margin, and
    if it is that of earlier runs; and of claims without earlier runs.

    Args:
        found: the prospects of the claims of a suite.
    """
    known = [each for each in found if each.contrast is not None]
    by_margin = sum(each.to_margin is not None and each.to_margin <= each.planned for each in known)
    as_found = sum(each.to_observed is not None and each.to_observed <= each.planned for each in known)
    return by_margin, as_found, len(found) - len(known)


def rows(names: Iterable[str], earlier: Sequence[RunStatus], root: Path) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each suite.

    Args:
        names: the suites.
        earlier: the kept runs.
        root: the folder of the data files.

    Raises:
        UsageError: there is no such suite.
    """
    for name in names:
        suite = find_suite(name)
        hours = core_hours(name, root)
        found = prospects(suite, planned_places(suite), earlier) if suite.claim else []
        counts = map(str, decided(found)) if found else (DASH, DASH, DASH)
        runs = str(len(plan_suite(suite)))
        yield (name, suite.base, runs, DASH if hours is None else duration(hours), DASH, str(len(found)), *counts)


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", help="names of suites; by default all that are built in")
    asked, root = parser.parse_args(), data_root(None)
    packs = sorted(RESULTS.glob("*/*.zip"))
    earlier = [run for folder in sorted({pack.parent for pack in packs}) for run in _kept(folder, root)]
    try:
        for cells in (HEADER, ("---", *["---:"] * (len(HEADER) - 1))):
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
        for row in rows(asked.suites or sorted(built_in_suites()), earlier, root):
            sys.stdout.write(f"| {' | '.join(row)} |\n")
            sys.stdout.flush()
    except MtbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"\nHours of one core of {platform.processor() or platform.machine()}.\n")
    return 0


def _kept(folder: Path, root: Path) -> Iterable[RunStatus]:
    return read_contents(sorted(folder.glob("*.zip")), root).shown


if __name__ == "__main__":
    sys.exit(main())
