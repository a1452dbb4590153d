"""Print what suites cost and decide at the size that they declare, as a Markdown table: ``python -m results.costs``.

Core hours are processor time, evaluations included. They come from kept records of the same dataset, network, balancer
and backbone, which tell the seconds per training example and epoch; runs without such a record are estimated by their
multiply-accumulates, at the median seconds per multiply-accumulate of records with their backbone. Records of all
training examples are preferred to those of previews. Nothing is timed. A suite whose data are not here has a dash where
it takes all training examples. No kept record is of a GPU, so that its hours cannot be estimated.

Whether the planned seeds decide a claim is estimated from the spread of kept runs (see
`mtbench.report.exhibits.claims.prospect`), mostly of smaller sizes.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

from mtbench.door.contents import read_contents
from mtbench.door.given import data_root
from mtbench.errors import MtbenchError
from mtbench.plan.chosen import load_dataset
from mtbench.plan.counting import count_work
from mtbench.plan.spec import Choice, RunSpec
from mtbench.plan.suite.built_in import built_in_suites
from mtbench.plan.suite.file import find_suite
from mtbench.plan.suite.planned import plan_suite, planned_places
from mtbench.report.exhibits.claims.prospect import Prospect, prospects
from mtbench.report.text import duration
from mtbench.store.record import Record
from mtbench.store.status import RunStatus

RESULTS = Path(__file__).resolve().parent
DASH = "\N{EN DASH}"
HEADER = (
    "suite",
    "size",
    "runs",
    "with a record",
    "core hours",
    "claims",
    "by the margin",
    "as found",
    "spread unknown",
)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Processor time of kept runs.

    Attributes:
        seconds: per training example and epoch, by `kind`.
        per_mac: per training example, epoch and multiply-accumulate of an answer to all tasks, by backbone.
        examples: number of all training examples, by dataset.
    """

    seconds: dict[tuple[str, ...], float]
    per_mac: dict[str, float]
    examples: dict[str, int]

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Rates":
        """Return the medians over records; of a kind that has records of all training examples over those alone."""
        records = list(records)
        whole = {kind(record.spec) for record in records if not record.spec.protocol.images}
        seconds: dict[tuple[str, ...], list[float]] = {}
        per_mac: dict[str, list[float]] = {}
        examples: dict[str, int] = {}
        for record in records:
            spec, cost = record.spec, record.cost
            if spec.protocol.images and kind(spec) in whole:
                continue
            each = cost.cpu_seconds / (spec.protocol.epochs * record.training_examples)
            seconds.setdefault(kind(spec), []).append(each)
            if cost.macs_per_input:
                per_mac.setdefault(spec.backbone.name, []).append(each / cost.macs_per_input)
            if not spec.protocol.images and spec.protocol.fraction == 1:
                examples[str(spec.dataset)] = record.training_examples
        return cls(
            seconds={key: median(found) for key, found in seconds.items()},
            per_mac={key: median(found) for key, found in per_mac.items()},
            examples=examples,
        )

    def hours(self, specs: Sequence[RunSpec]) -> float:
        """Return the hours of runs on one core; NaN if they are not known."""
        known = {**self.seconds}
        for spec in specs:
            if kind(spec) not in known:
                known[kind(spec)] = self.per_mac.get(spec.backbone.name, math.nan) * _macs(spec)
        return sum(known[kind(spec)] * self._passed(spec) for spec in specs) / 3600

    def _passed(self, spec: RunSpec) -> float:
        """Return the number of training examples of all epochs; NaN if it is not known."""
        protocol = spec.protocol
        examples = protocol.images or self.examples.get(str(spec.dataset)) or _training_examples(spec.dataset)
        return examples * protocol.fraction * protocol.epochs


def kind(spec: RunSpec) -> tuple[str, ...]:
    """Return what the time of an example depends on: dataset, network, balancer and backbone."""
    return tuple(map(str, (spec.dataset, spec.network, spec.balancer, spec.backbone)))


@cache
def _training_examples(dataset: Choice) -> float:
    """Return the number of training examples of a dataset whose data are here; NaN if they are not."""
    try:
        return len(load_dataset(dataset).open(data_root(None)).load("train", validation=False).defined)
    except MtbenchError:
        return math.nan


def _macs(spec: RunSpec) -> int:
    chosen = spec.resolve()
    return count_work(chosen.method, chosen.setup(chosen.dataset.open(Path()), seed=0)).per_input


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


def rows(names: Iterable[str], earlier: Sequence[RunStatus]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each suite.

    Args:
        names: the suites.
        earlier: the kept runs.

    Raises:
        UsageError: there is no such suite.
    """
    rates = Rates.of(run.record for run in earlier if run.record)
    for name in names:
        suite = find_suite(name)
        specs = plan_suite(suite)
        hours = rates.hours(specs)
        found = prospects(suite, planned_places(suite), earlier) if suite.claim else []
        counts = map(str, decided(found)) if found else (DASH, DASH, DASH)
        timed = sum(kind(spec) in rates.seconds for spec in specs)
        told = DASH if math.isnan(hours) else duration(hours)
        yield (name, suite.base, str(len(specs)), str(timed), told, str(len(found)), *counts)


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", help="names of suites; by default all that are built in")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as nowhere:
        folders = sorted({pack.parent for pack in RESULTS.glob("*/*.zip")})
        earlier = [
            run for folder in folders for run in read_contents(sorted(folder.glob("*.zip")), Path(nowhere)).shown
        ]
    try:
        for cells in (HEADER, ("---", *["---:"] * (len(HEADER) - 1))):
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
        for row in rows(asked.suites or sorted(built_in_suites()), earlier):
            sys.stdout.write(f"| {' | '.join(row)} |\n")
            sys.stdout.flush()
    except MtbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
