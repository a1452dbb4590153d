"""Mutations of all kinds of files, and odd arguments of all commands: ``make fuzz`` prints what came of them."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from mtbench.store.memory import CACHE
from tests.fuzz.arguments import Arguments, invocations
from tests.fuzz.files import KINDS, Campaign, World

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
    chosen = [name.strip() for name in asked.kinds.split(";") if name.strip()] or list(KINDS)
    with tempfile.TemporaryDirectory(prefix="mtbench-fuzz-") as folder:
        os.environ[CACHE] = str(Path(folder) / "cache")
        place = Path(folder) / "above" / "place"
        place.mkdir(parents=True)
        world, began = World(place, DRAWN), time.process_time()
        campaign, given = Campaign(world), Arguments(world)
        parts = sum(KINDS[name].part for name in chosen)
        for name in chosen:
            count = -(-round(10 * asked.files * KINDS[name].part) // round(10 * parts))
            campaign.run(name, range(asked.first, asked.first + count))
        given.run(invocations(asked.arguments, asked.first))
    for line in (*campaign.lines(), *given.lines()):
        print(line)  # noqa: T201
    slow, words = given.slowest
    print(f"processor time {time.process_time() - began:.0f} s; the slowest mutation {campaign.slowest:.1f} s, the")  # noqa: T201
    print(f"slowest command {slow:.1f} s: {' '.join(words)!r}")  # noqa: T201
    for fault in (*campaign.faults, *given.faults):
        print(fault)  # noqa: T201
    sys.exit(bool(campaign.faults or given.faults))


if __name__ == "__main__":
    main()
