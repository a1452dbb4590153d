"""Print the page of costs, ``reports/costs.md``: ``python -m results.costs > reports/costs.md``.

It has the costs of suites at the size that they declare and at that of the list of evidence, and how many claims are
decided there. `PAGE` says where the numbers come from. Nothing is timed. With names of suites only their lines of the
first table are printed.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from mtbench.door.contents import read_contents
from mtbench.errors import MtbenchError
from mtbench.plan.spec import RunSpec
from mtbench.report.exhibits.claims.prospect import Prospect, prospects
from mtbench.report.text import duration
from mtbench.store.status import RunStatus
from results.evidence import read
from results.kernels import LAUNCH, RATE, step_of
from results.rates import Rates, epochs, kind
from results.sized import Sized, of_part, of_suite

RESULTS = Path(__file__).resolve().parent
DASH = "\N{EN DASH}"
HEADER = (
    *("suite", "epochs", "seeds", "runs", "trials", "timed", "core h", "GPU h"),
    *("claims", "margin", "found", "unknown"),
)
MORE = (
    *("levi2020-table2b", "levi2020-table2c", "levi2020-table2d", "labels-per-image"),
    *("dense-mini", "retrieval-mini", "levi2020-table3-mini", "levi2020-fig4cd-mini"),
)
"""Suites on the page that are not in the list of evidence; of the others the data are not here."""
PAGE = f"""# What suites cost, and what they decide

Made by `python -m results.costs > reports/costs.md`. The first table has suites at the size that they declare. The
second one has the parts of the list `results/evidence.toml`, in its order and at its sizes.

- *epochs*, *seeds*: of each run. *runs*: those of the grid, and those that are retrained with settings that searches
  choose. *trials*: those of searches.
- *core h*: hours of one core of the processor that made the kept records, evaluations included; two cores need half as
  long. They are measured for runs of which there is a record of the same dataset, network, balancer and backbone
  (*timed*; many are previews). Others are estimated from records of the same backbone, by multiply-accumulates, or
  else as the median of the same dataset. On a machine that is busy, as the one was that made the records, all take
  several times as long by the clock.
- *GPU h*: hours of one GPU that trains one run after another. This is an estimate: **nothing was measured on a GPU**.
- *claims*: their number. *margin* and *found*: how many of them these seeds decide with 80 % power, if the difference
  is that of the margin, or if it is that of earlier runs, which is likely to be too large. The spread over seeds is
  that of kept runs, most of which are previews. *unknown*: claims without such runs.
- A dash: the data are not here, so that examples or kernels cannot be counted; or there is no claim.

GPU hours are steps times the time of a step: that of launching its kernels, or that of its arithmetic, if it is longer.

- Kernels: operations of one training step (forward and backward pass, balancer and optimizer), counted on a CPU,
  without views and allocations. Each is assumed to take {1e6 * LAUNCH[0]:.0f} to {1e6 * LAUNCH[1]:.0f} microseconds.
- Arithmetic: floating-point operations of convolutions and matrix products of the same step, for all examples of its
  batch. A GPU is assumed to sustain {1e-12 * RATE[1]:.0f} to {1e-12 * RATE[0]:.0f} TFLOP/s on such small networks.
- Not counted: evaluations, loading of data, the start of processes, and what is gained by several runs on one GPU.
- "≥": in some of the runs a balancer solves a small problem with NumPy on the CPU in each step, which is not counted.
"""


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


@dataclass(frozen=True, kw_only=True)
class GpuHours:
    """Hours on a GPU, from the least to the most; NaN if they are not known.

    Attributes:
        more: True if a part of the time is not counted: see `results.kernels.Step`.
    """

    low: float = 0.0
    high: float = 0.0
    more: bool = False

    def __str__(self) -> str:
        if math.isnan(self.low):
            return DASH
        return f"{'≥ ' * self.more}{short(self.low)}{DASH}{short(self.high)}"

    def __add__(self, other: "GpuHours") -> "GpuHours":
        return GpuHours(low=self.low + other.low, high=self.high + other.high, more=self.more or other.more)


def gpu_hours(specs: Iterable[RunSpec], rates: Rates, folder: Path) -> GpuHours:
    """Return the estimated hours of runs, one after another.

    Args:
        folder: see `step_of`.
    """
    total = GpuHours()
    for spec in specs:
        step, protocol = step_of(spec, folder), spec.protocol
        examples = rates.per_epoch(spec)
        if step is None or math.isnan(examples):
            return GpuHours(low=math.nan, high=math.nan)
        hours = epochs(protocol) * math.ceil(examples / protocol.batch) / 3600
        low, high = step.seconds(protocol.batch)
        total += GpuHours(low=hours * low, high=hours * high, more=step.solves)
    return total


def short(hours: float) -> str:
    """Return hours in two digits, without decimals from 10 on."""
    return f"{hours:.0f}" if hours >= 9.95 else f"{hours:#.2g}"


@dataclass(frozen=True, kw_only=True)
class Costs:
    """The kept runs, from which costs are estimated.

    Attributes:
        earlier: the kept runs.
        rates: their times.
        folder: see `step_of`.
    """

    earlier: Sequence[RunStatus]
    rates: Rates
    folder: Path

    def row(self, sized: Sized) -> tuple[str, ...]:
        """Return the cells of a suite or a part of the list."""
        specs = sized.runs
        found = prospects(sized.suite, sized.places, self.earlier) if sized.suite and sized.suite.claim else []
        hours = self.rates.hours(specs)
        return (
            *size(sized),
            str(sum(kind(spec) in self.rates.seconds for spec in specs)),
            DASH if math.isnan(hours) else duration(hours),
            str(gpu_hours(specs, self.rates, self.folder)),
            str(len(found)),
            *(map(str, decided(found)) if found else (DASH, DASH, DASH)),
        )


def size(sized: Sized) -> tuple[str, ...]:
    """Return the cells that need no kept run: name, epochs, seeds, runs, trials."""
    return (
        sized.name,
        _span(spec.protocol.epochs for spec in sized.runs),
        _span(_seeds(sized)),
        str(len(sized.grid) + len(sized.chosen)),
        str(len(sized.trials)),
    )


def _seeds(sized: Sized) -> Iterator[int]:
    """Yield the number of seeds of each kind of run of the grid, or of those that are chosen."""
    numbers: dict[str, set[int]] = {}
    for spec in sized.grid or sized.chosen:
        numbers.setdefault(replace(spec, seed=0).id, set()).add(spec.seed)
    return map(len, numbers.values())


def _span(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return f"{found[0]}{DASH}{found[-1]}" if found[1:] else str(found[0])


def listed() -> Iterator[Sized]:
    """Yield the parts of the list of evidence; a run that an earlier part trains into the same folder is left out."""
    seen: set[tuple[str, str]] = set()
    for part in read().part:
        sized = of_part(part)
        grid = [spec for spec in sized.grid if (part.results, spec.id) not in seen]
        seen |= {(part.results, spec.id) for spec in grid}
        yield replace(sized, grid=grid)


def declared() -> list[str]:
    """Return the suites of the first table."""
    return list(dict.fromkeys([*(part.suite for part in read().part if part.suite), *MORE]))


def table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    for cells in chain((HEADER, ("---", *["---:"] * (len(HEADER) - 1))), rows):
        yield f"| {' | '.join(cells)} |\n"


def main() -> int:
    """Print the page, or the lines of suites; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", help="names of suites; by default the page is printed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as nowhere:
        folders = sorted({pack.parent for pack in RESULTS.glob("*/*.zip")})
        earlier = [
            run for folder in folders for run in read_contents(sorted(folder.glob("*.zip")), Path(nowhere)).shown
        ]
        rates = Rates.of(run.record for run in earlier if run.record)
        costs = Costs(earlier=earlier, rates=rates, folder=Path(nowhere))
        try:
            if not asked.suites:
                sys.stdout.write(f"{PAGE}\n## At the declared size\n\n")
            for line in table(costs.row(of_suite(name)) for name in asked.suites or declared()):
                sys.stdout.write(line)
                sys.stdout.flush()
            if not asked.suites:
                sys.stdout.write("\n## At the size of the list of evidence\n\n")
                sys.stdout.writelines(table(map(costs.row, listed())))
        except MtbenchError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
