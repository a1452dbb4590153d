"""The start of an attempt and no more, in a process of its own that is timed: ``python -m ...start ROOT DEVICE``.

The spec is read from standard input.
"""

import sys
from pathlib import Path

import mtbench.engines.job  # noqa: F401  (what a run imports is part of its start)
from mtbench.plan.spec import RunSpec
from mtbench.store.identity.data import data_fingerprint
from mtbench.store.identity.fingerprint import fingerprints
from mtbench.train.assemble import assemble
from mtbench.train.machine.device import choose_device

__all__ = ["start"]


def start(text: str, root: Path, device: str) -> None:
    """Do what a run does before its first step: read its code and data, and build its network.

    Args:
        text: the spec of the run.
        root: the folder of the data files.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        MtbenchError: something is not there or does not fit.
    """
    spec = RunSpec.from_json(text)
    fingerprints(spec, data_fingerprint(spec.dataset, root, spec.files))
    assemble(spec, root=root, device=choose_device(device))


if __name__ == "__main__":
    start(sys.stdin.read(), Path(sys.argv[1]), sys.argv[2])
