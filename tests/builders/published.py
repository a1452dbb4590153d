"""A results folder with finished runs, as training leaves them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from mtbench.plan.spec import RunSpec
from mtbench.store.record import Record
from mtbench.store.results import mark_results
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.leased import leased

__all__ = ["publish"]


def publish(results: Path, record: Record, seeds: Sequence[int] = (0, 1)) -> list[RunSpec]:
    """Write a finished run of each seed into a results folder, with the content of one record; return the specs."""
    specs = [dataclasses.replace(record.spec, seed=seed) for seed in seeds]
    mark_results(results)
    for spec in specs:
        run = RunFolder(results / spec.folder)
        run.write_spec(spec)
        with leased(run) as held:
            held.publish(
                dataclasses.replace(record, spec=spec),
                {"weight": torch.arange(3.0) + spec.seed},
                {"upper": np.arange(5, dtype=np.uint8)},
            )
    return specs
