"""Mutations of all kinds of files, and odd arguments of all commands: ``make fuzz`` prints what came of them."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mtbench.store.memory import CACHE
from tests.fuzz.arguments import Arguments, invocations
from tests.fuzz.campaign import Campaign, total_of
from tests.fuzz.datasets import DataRoot
from tests.fuzz.kinds import DATA, STORE
from tests.fuzz.world import World

FILES = 2_000
"""The number of mutations of the long form."""
ARGUMENTS = 600
"""Its number of command lines with an odd argument."""
DRAWN = 0.03
"""The fraction of its reports whose figures are written, which takes seconds."""


def main() -> None:
    """Print the figures of the long form; exit with 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES, help="number of mutations, over all kinds of files")
    parser.add_argument("--arguments", type=int, default=ARGUMENTS, help="number of odd arguments")
    parser.add_argument("--kinds", default="", help="kinds of files, separated by semicolons; by default all")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation of each kind")
    asked = parser.parse_args()
    chosen = [name.strip() for name in asked.kinds.split(";") if name.strip()] or [*STORE, *DATA]
    with tempfile.TemporaryDirectory(prefix="mtbench-fuzz-") as folder:
        os.environ[CACHE] = str(Path(folder) / "cache")
        began, world = time.process_time(), World(_folder(folder, "store"), DRAWN)
        campaigns: list[Campaign[Any]] = [Campaign(world, STORE)]
        if not DATA.keys().isdisjoint(chosen):
            campaigns.append(Campaign(DataRoot(_folder(folder, "data")), DATA))
        parts = sum(kind.part for each in campaigns for name, kind in each.kinds.items() if name in chosen)
        for campaign in campaigns:
            for name in filter(campaign.kinds.__contains__, chosen):
                count = -(-round(10 * asked.files * campaign.kinds[name].part) // round(10 * parts))
                print(campaign.run(name, range(asked.first, asked.first + count)), flush=True)  # noqa: T201
                for fault in campaign.faults:
                    print(fault if fault.kind == name else "", end="", flush=True)  # noqa: T201
        print(*total_of(campaigns), flush=True)  # noqa: T201
        given = Arguments(world)
        given.run(invocations(asked.arguments, asked.first))
    for line in (*given.lines(), *given.faults):
        print(line)  # noqa: T201
    slow, words = given.slowest
    print(f"processor time {time.process_time() - began:.0f} s; the slowest mutation", end=" ")  # noqa: T201
    print(f"{max(each.slowest for each in campaigns):.1f} s, the slowest command {slow:.1f} s: {' '.join(words)!r}")  # noqa: T201
    sys.exit(bool(given.faults or any(each.faults for each in campaigns)))


def _folder(folder: str, name: str) -> Path:
    """Return a new empty folder, alone in another one, which some arguments name."""
    place = Path(folder) / name / "above" / "place"
    place.mkdir(parents=True)
    return place


if __name__ == "__main__":
    main()
