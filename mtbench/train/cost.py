"""What a run costs: parameters, multiply-accumulates, and a ledger of what training used."""

import resource
import sys
import time
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mtbench.contract import Inputs, Network, Setup
from mtbench.store.record import Cost, Parameters

__all__ = ["Ledger", "Macs", "Part", "count_macs", "count_parameters", "parts"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a network: how many trainable numbers it has, biases left out and in all.

    Attributes:
        per_task: whether it grows with each task.
    """

    name: str
    weights: int
    total: int
    per_task: bool


@dataclass(frozen=True, kw_only=True)
class Macs:
    """Multiply-accumulates for one input: to answer one task, and to answer all."""

    per_task: int
    per_input: int


@dataclass(kw_only=True)
class Ledger:
    """What a run has used so far; kept in checkpoints.

    Seconds include evaluations (but for those of training), and all attempts up to the last checkpoint that was gone
    on from.
    """

    steps: int = 0
    label_uses: int = 0
    forward_passes: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    training_wall_seconds: float = 0.0
    training_cpu_seconds: float = 0.0

    def __post_init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def tick(self, *, training: bool = False) -> None:
        """Add the time since the last tick, which went into training steps or into something else."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.wall_seconds += wall - self._wall
        self.cpu_seconds += cpu - self._cpu
        if training:
            self.training_wall_seconds += wall - self._wall
            self.training_cpu_seconds += cpu - self._cpu
        self._wall, self._cpu = wall, cpu

    def state(self) -> dict[str, float]:
        """What a checkpoint keeps."""
        self.tick()
        return asdict(self)

    def cost(self, device: torch.device, macs: Macs) -> Cost:
        """The ledger closed, with peak memory and the work for one input."""
        self.tick()
        memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else _peak_resident()
        return Cost(**asdict(self), peak_memory=memory, macs_per_task=macs.per_task, macs_per_input=macs.per_input)


def parts(network: Network) -> list[Part]:
    """The parts of a network, by the names of its own attributes, in the order they are made."""
    named: dict[str, list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in network.named_parameters():
        named.setdefault(name.partition(".")[0], []).append((name, parameter))
    return [
        Part(name=name, weights=_weights(members), total=_total(members), per_task=name in network.per_task)
        for name, members in named.items()
    ]


def count_parameters(network: Network, setup: Setup) -> Parameters:
    """The trainable numbers of a network beside those of the single-task network: backbone and one head.

    Args:
        setup: with the backbone that the single-task network is to have.
    """
    backbone = setup.build_backbone()
    alone = nn.ModuleList([backbone, setup.head(backbone, max(task.kind.output_size for task in setup.tasks))])
    return Parameters(
        weights=_weights(list(network.named_parameters())),
        total=_total(list(network.named_parameters())),
        single_weights=_weights(list(alone.named_parameters())),
        single_total=_total(list(alone.named_parameters())),
    )


def count_macs(network: Network, inputs: Inputs) -> Macs:
    """Multiply-accumulates of convolutions and matrix products for these inputs, by torch's flop counter.

    Args:
        inputs: one input (1, ...), or the V inputs that make up one example.
    """
    with torch.no_grad():
        with FlopCounterMode(display=False) as one:
            network.task_output(inputs, 0)
        with FlopCounterMode(display=False) as every:
            network.all_outputs(inputs)
    return Macs(per_task=one.get_total_flops() // 2, per_input=every.get_total_flops() // 2)


def _weights(named: list[tuple[str, nn.Parameter]]) -> int:
    return _total([(name, parameter) for name, parameter in named if not name.endswith("bias")])


def _total(named: list[tuple[str, nn.Parameter]]) -> int:
    return sum(parameter.numel() for _, parameter in named)


def _peak_resident() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
