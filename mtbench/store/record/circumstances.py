"""The circumstances of a run: its cost, its size, its phases, the program and the code that made it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mtbench.store.record.sealed import Number

__all__ = ["Code", "Cost", "Environment", "Fingerprints", "Parameters", "PhaseInfo"]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost ledger of the training (evaluation is not counted in labels and passes, but is in seconds and memory).

    Attributes:
        steps: optimizer steps.
        label_uses: labels that entered a loss.
        forward_passes: inputs put through the network.
        wall_seconds: on the clock, over all attempts up to the checkpoints that were gone on from.
        cpu_seconds: of the process's user and system time, likewise.
        training_wall_seconds: of `wall_seconds` those that went into training steps; NaN in records made before they
            were told apart.
        training_cpu_seconds: likewise.
        peak_memory: bytes, of the process (CPU) or of the allocator (CUDA).
        macs_per_task: multiply-accumulates to answer one task for one example.
        macs_per_input: multiply-accumulates to answer every task for one example.
        unsolved: of the steps, those whose update does not meet the condition that defines the balancer, because its
            solver ended short of it; 0 in records made before they were counted.
    """

    steps: int
    label_uses: int
    forward_passes: int
    wall_seconds: float
    cpu_seconds: float
    peak_memory: int
    macs_per_task: int
    macs_per_input: int
    training_wall_seconds: Number = math.nan
    training_cpu_seconds: Number = math.nan
    unsolved: int = 0


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Numbers of trainable parameters, without and with biases.

    Attributes:
        weights: of the whole network, biases left out.
        total: of the whole network.
        single_weights: of the single-task network (default backbone and one head), biases left out.
        single_total: likewise, with biases.
    """

    weights: int
    total: int
    single_weights: int
    single_total: int


@dataclass(frozen=True, kw_only=True)
class PhaseInfo:
    """The training in one phase of a run that has several.

    Attributes:
        name: ``first`` for what comes before a task is added; then ``own`` or ``all``, what its protocol adds it by; or
            a phase of the network's own.
        epochs: how many.
        parameters: how many numbers of the network were trained.
        weights: likewise, biases left out.
        tasks: by name those that were trained on.
    """

    name: str
    epochs: int
    parameters: int
    weights: int
    tasks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The program and the system of a run; what its last bits depend on is in `Numerics`.

    Attributes:
        mtbench: the version of mtbench.
        python: the version of Python.
        platform: the operating system, as Python names it.
    """

    mtbench: str
    python: str
    platform: str


@dataclass(frozen=True, kw_only=True)
class Code:
    """The code of one part of a run.

    Attributes:
        distribution: the package that it came from.
        version: the version of that package.
        hash: of the syntax trees of its modules, without what makes no numbers.
    """

    distribution: str
    version: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Fingerprints:
    """Fingerprints of what makes numbers: if any of it changes, the record is stale.

    Attributes:
        numerics: the harness's own, `mtbench.store.fingerprint.NUMERICS`.
        code: by part: ``network``, ``balancer``, ``backbone``, ``dataset``.
        data: a hash of the data themselves.
    """

    numerics: int
    code: Mapping[str, Code]
    data: str
