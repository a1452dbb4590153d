"""The circumstances of a run: its cost, its size, its phases, the program and the code that made it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mtbench.store.record.sealed import Number

__all__ = ["Code", "Cost", "Environment", "Fingerprints", "Parameters", "PhaseInfo"]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost ledger of the training (evaluation is not counted in labels and passes, but is in seconds and memory).

    Attributes:
        steps: optimizer steps.
        label_uses: labels that entered a loss.
        forward_passes: inputs passed through the network.
        wall_seconds: wall-clock seconds, over all attempts up to the checkpoints that were resumed from.
        cpu_seconds: user and system time of the process, over the same attempts.
        training_wall_seconds: the part of `wall_seconds` in training steps; NaN in records made before it was measured.
        training_cpu_seconds: the part of `cpu_seconds` in training steps.
        peak_memory: bytes of the process (CPU) or of the allocator (CUDA).
        macs_per_task: multiply-accumulates to answer one task for one example.
        macs_per_input: multiply-accumulates to answer every task for one example.
        unsolved: number of steps whose update does not meet the condition that defines the balancer, because its solver
            ended early; 0 in records made before they were counted.
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
        weights: parameters of the whole network, without biases.
        total: parameters of the whole network.
        single_weights: parameters of the single-task network (default backbone and one head), without biases.
        single_total: parameters of the single-task network.
    """

    weights: int
    total: int
    single_weights: int
    single_total: int


@dataclass(frozen=True, kw_only=True)
class PhaseInfo:
    """The training in one phase of a run that has several.

    Attributes:
        name: ``first`` before a task is added; then ``own`` or ``all``, the training protocol's way of adding it; or a
            phase of the network's own.
        epochs: number of epochs.
        parameters: number of trained parameters of the network.
        weights: number of trained parameters of the network, without biases.
        tasks: names of the tasks that were trained on.
    """

    name: str
    epochs: int
    parameters: int
    weights: int
    tasks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The program and the system of a run; `Numerics` has the circumstances that affect the last bits.

    Attributes:
        mtbench: the version of mtbench.
        python: the version of Python.
        platform: the operating system, as Python names it.
        commit: the commit of mtbench's checkout, 40 hexadecimal digits; empty where it was installed otherwise. Whether
            files were changed since is told by the hashes of the code.
    """

    mtbench: str
    python: str
    platform: str
    commit: str = ""


@dataclass(frozen=True, kw_only=True)
class Code:
    """The code of one part of a run.

    Attributes:
        distribution: the package of the code.
        version: the version of that package.
        hash: hash of the syntax trees of its modules, without the parts that make no numbers.
        modules: the first digits of the hash of each module; empty in records made before they were stored.
    """

    distribution: str
    version: str
    hash: str
    modules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fingerprints:
    """Fingerprints of everything that makes numbers: if one of them changes, the record is stale.

    Attributes:
        numerics: the harness's own, `mtbench.store.identity.fingerprint.NUMERICS`.
        code: the code of each part: ``network``, ``balancer``, ``backbone``, ``dataset``.
        data: a hash of the data.
    """

    numerics: int
    code: Mapping[str, Code]
    data: str
