"""The costs of a run: parameters, multiply-accumulates, and a ledger of the resources of training."""

import time
from dataclasses import asdict, dataclass

import torch

from mtbench.contract import Network, Setup
from mtbench.plan.counting import Macs, Part, count_macs, parts, single_task_network, total, weights
from mtbench.store.record import Cost, Parameters
from mtbench.train.cost.memory import peak_memory

__all__ = ["Ledger", "Macs", "Part", "count_macs", "count_parameters", "parts"]


@dataclass(kw_only=True)
class Ledger:
    """The resources that a run has used so far; kept in checkpoints.

    Seconds include evaluations (except those of training), and all attempts up to the last checkpoint that was resumed
    from.
    """

    steps: int = 0
    label_uses: int = 0
    forward_passes: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    training_wall_seconds: float = 0.0
    training_cpu_seconds: float = 0.0
    unsolved: int = 0

    def __post_init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def tick(self, *, training: bool = False) -> None:
        """Add the time since the last tick, spent in training steps or in something else."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.wall_seconds += wall - self._wall
        self.cpu_seconds += cpu - self._cpu
        if training:
            self.training_wall_seconds += wall - self._wall
            self.training_cpu_seconds += cpu - self._cpu
        self._wall, self._cpu = wall, cpu

    def state(self) -> dict[str, float]:
        """Return the values that a checkpoint keeps."""
        self.tick()
        return asdict(self)

    def cost(self, device: torch.device, macs: Macs) -> Cost:
        """Return the cost in the ledger, with peak memory and the multiply-accumulates for one input."""
        self.tick()
        memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory()
        return Cost(**asdict(self), peak_memory=memory, macs_per_task=macs.per_task, macs_per_input=macs.per_input)


def count_parameters(network: Network, setup: Setup) -> Parameters:
    """Return the numbers of parameters of a network and of the single-task network: backbone and one head.

    Args:
        setup: the setup with the backbone of the single-task network.
    """
    alone = single_task_network(setup)
    return Parameters(
        weights=weights(network), total=total(network), single_weights=weights(alone), single_total=total(alone)
    )
