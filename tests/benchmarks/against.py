"""Print how much time this checkout takes over an earlier commit: ``python -m tests.benchmarks.against COMMIT``.

Each measurement is taken in turn by both, A B A B ..., each in a process of its own; a line has the median of the
ratios of such pairs, and the least and the greatest.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from mtbench.cli.base.shared import data_root
from mtbench.plan.parse import parse_dataset
from results.evidence import HOUSE, install

PROBE = Path(__file__).with_name("probe.py")
LIMITS: Mapping[tuple[str, str, str], float] = {
    **{("run", method, "mmnist3"): limit for method, limit in (("td", 0.52), ("chmod", 0.62), ("uniform", 0.72))},
    ("step", "td", "mmnist3"): 0.70,
    ("step", "single", "mmnist3"): 0.72,
    ("step", "cross-stitch", "mmnist3"): 0.68,
    ("step", "mtan", "mmnist3"): 0.75,
    ("step", "chmod", "mmnist3"): 0.77,
    ("step", "uniform", "mmnist3"): 0.88,
    ("evaluation", "td", "mmnist3"): 0.63,
    ("evaluation", "td", "mmnist9"): 0.44,
}
"""Measurements, and the ratio that each should not exceed."""
MEMORY = 0.85
"""Ratio of the peak memory of a whole run of td, likewise."""


def measured(source: str, what: tuple[str, str, str]) -> dict[str, float]:
    """Return seconds and peak memory of one measurement by the mtbench in a folder, or in several with colons."""
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(PROBE), *what, str(data_root(None))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print, a line for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", help="what to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="a part of the names of the measurements to be taken")
    asked = parser.parse_args()
    full = subprocess.run(
        ["git", "rev-parse", asked.commit], cwd=HOUSE, capture_output=True, text=True, check=True, timeout=300
    )
    there = str(install(full.stdout.strip()))
    here = os.pathsep.join(str(HOUSE / part) for part in ("", "methods", "datasets"))
    for dataset in {what[2] for what in LIMITS}:
        parse_dataset(dataset).open(data_root(None)).prepare(lambda _: None)
    for what, limit in LIMITS.items():
        if asked.only not in " ".join(what):
            continue
        pairs = [(measured(here, what), measured(there, what)) for _ in range(asked.rounds)]
        for unit, goal in (("seconds", limit), *([("peak", MEMORY)] if what[:2] == ("run", "td") else [])):
            ratios = [new[unit] / old[unit] for new, old in pairs]
            ours, theirs = (median(each[unit] for each in side) for side in zip(*pairs, strict=True))
            scale, name = (1, "s") if unit == "seconds" else (2**20, "MB")
            shown = f"{ours / scale:8.3f} / {theirs / scale:8.3f} {name}"
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            sys.stdout.write(f"{' '.join(what):30} {median(ratios):5.2f} ({spread}; goal {goal:.2f})  {shown}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
