"""Measure one thing in a process of its own, and print it as JSON; it runs with this mtbench and with earlier ones.

``python probe.py run METHOD DATASET ROOT`` does a whole ``--quick`` run, ``step METHOD DATASET ROOT`` training steps at
batch 512, and ``evaluation METHOD DATASET ROOT`` evaluations of 2,000 test images, all with one thread and with the
memory settings of a worker. Printed are CPU seconds (the median of steps and evaluations) and the peak memory in bytes.
"""

import json
import resource
import sys
import tempfile
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch

from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import assemble
from mtbench.train.evaluate import evaluate
from mtbench.train.machine.device import deterministic
from mtbench.train.trained import train

try:
    from mtbench.store.run.folder import RunFolder
except ImportError:  # an mtbench whose store had no rooms yet
    from mtbench.store.folder import RunFolder  # type: ignore[import-not-found, no-redef]

CPU = torch.device("cpu")
STEPS, WARM, LOOKS, IMAGES = 8, 2, 3, 2000


class _Enough(Exception):
    pass


class _Nothing:
    """Keeps nothing."""

    def restore(self) -> None:
        return None

    def keep(self, *_: object) -> None:
        pass


def keep_freed_memory() -> None:
    """Set up memory as a worker of this mtbench does, of which earlier ones did nothing."""
    with suppress(ImportError):
        from mtbench.engines import heap

        heap.keep_freed_memory()


def spec_of(method: str, dataset: str, protocol: str, **settings: str) -> RunSpec:
    (spec,) = plan(Request(methods=[method], datasets=[dataset], protocol=protocol, settings=settings, seeds=[0]))
    return spec


def whole_run(method: str, dataset: str, root: Path) -> float:
    spec = spec_of(method, dataset, "quick")
    with tempfile.TemporaryDirectory() as results:
        folder = RunFolder(Path(results) / spec.folder)
        folder.write_spec(spec)
        started = time.process_time()
        execute(folder, folder.spec(), root, "cpu")
        return time.process_time() - started


def step(method: str, dataset: str, root: Path) -> float:
    keep_freed_memory()
    spec = spec_of(method, dataset, "paper", images=str(512 * (STEPS + WARM + 2)), epochs="1")
    run = assemble(spec, root=root, device=CPU)
    kind: Any = type(run.balancer)
    backward, starts = kind.backward, list[float]()

    def timed(*arguments: object) -> Any:
        starts.append(time.process_time())
        if len(starts) > STEPS + WARM:
            raise _Enough
        return backward(*arguments)

    kind.backward = timed
    with suppress(_Enough):
        train(spec, root=root, device=CPU, keeper=_Nothing(), points=())
    return median(end - start for start, end in list(pairwise(starts))[WARM:])


def evaluation(method: str, dataset: str, root: Path) -> float:
    keep_freed_memory()
    deterministic(CPU, "float32")
    run = assemble(spec_of(method, dataset, "quick"), root=root, device=CPU)
    split, seconds = run.splits["test"].first(IMAGES), list[float]()
    for _ in range(LOOKS):
        started = time.process_time()
        evaluate(run.network, split)
        seconds.append(time.process_time() - started)
    return median(seconds)


if __name__ == "__main__":
    kind, method, dataset, root = sys.argv[1:]
    found = {"run": whole_run, "step": step, "evaluation": evaluation}[kind](method, dataset, Path(root))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"seconds": found, "peak": peak}) + "\n")
