"""Many records that read as fresh, made from one kept record: ``python records.py FOLDER COUNT``.

It imports nothing of the tests, so that the Python of another checkout makes records that are fresh there.
"""

import dataclasses
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

from mtbench.plan.grid import Request, plan
from mtbench.store.record import FORMAT, TaskResult, read_record, render_record
from mtbench.store.results import mark_results

try:
    from mtbench.store.identity.fingerprint import fingerprints
    from mtbench.store.run.folder import RunFolder
except ImportError:  # an mtbench whose store had no rooms yet
    from mtbench.store.fingerprint import fingerprints  # type: ignore[import-not-found, no-redef]
    from mtbench.store.folder import RunFolder  # type: ignore[import-not-found, no-redef]

KEPT = Path(__file__).parents[2] / "results" / "2026-11-24-mmnist2-all"
DATASETS = ("mmnist2", "mmnist2:offset=7", "mmnist2:offset=8", "mmnist2:offset=9")
BALANCERS = (
    *("aligned-mtl", "cagrad", "dwa", "fairgrad", "gls", "graddrop", "gradnorm", "imtl"),
    *("mgda", "mgda-ub", "nash-mtl", "pcgrad", "stch", "uncertainty"),
)
METHODS = (
    *("single", "uniform", "chmod", "td", "mtan", "cross-stitch", "film", "mmoe", "routing"),
    *("tensormod", "td:channels=6"),
)
EACH = (*METHODS, *(f"branches+{name}" for name in BALANCERS))


def shifted(results: Mapping[str, TaskResult], by: float) -> dict[str, TaskResult]:
    """Results with every metric moved by so many points."""
    return {
        name: dataclasses.replace(one, metrics={metric: value + by for metric, value in one.metrics.items()})
        for name, one in results.items()
    }


def _kept() -> bytes:
    """Return the first record of `KEPT`, in a pack or not; an mtbench that reads no packs needs it too."""
    for pack in sorted(KEPT.glob("*.zip")):
        with ZipFile(pack) as archive:
            return archive.read(next(name for name in archive.namelist() if name.endswith("record.json")))
    return sorted(KEPT.rglob("record.json"))[0].read_bytes()


def make(folder: Path, count: int) -> None:
    """Write so many runs of four datasets and 25 methods into a new results folder; only seeds grow with the count."""
    kept = read_record(_kept(), str(KEPT))
    seeds = range(count // (len(DATASETS) * len(EACH)))
    specs = plan(Request(methods=EACH, datasets=DATASETS, protocol="quick", settings={}, seeds=seeds))
    assert len(specs) == count
    drawn = random.Random(0)
    mark_results(folder)
    for spec in specs:
        by = drawn.gauss(0, 0.5)
        record = dataclasses.replace(
            kept,
            format=FORMAT,
            spec=spec,
            results={split: shifted(results, by) for split, results in kept.results.items()},
            curve=tuple(
                dataclasses.replace(
                    point, results={split: shifted(results, by) for split, results in point.results.items()}
                )
                for point in kept.curve
            ),
            fingerprints=fingerprints(spec, kept.fingerprints.data),
        )
        run = RunFolder(folder / spec.folder)
        run.write_spec(spec)
        (run.path / "record.json").write_text(render_record(record))


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
