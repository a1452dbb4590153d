"""Where a run computed, for its record."""

import platform
from importlib.metadata import version

import torch

from mtbench.store.record import Environment
from mtbench.train.numerics import processor

__all__ = ["environment"]


def environment(device: torch.device) -> Environment:
    """The versions, the machine and the settings that this process computes with."""
    return Environment(
        mtbench=version("mtbench"),
        python=platform.python_version(),
        torch=torch.__version__,
        platform=platform.platform(),
        processor=torch.cuda.get_device_name(device) if device.type == "cuda" else processor(),
        device=str(device),
        threads=torch.get_num_threads(),
        deterministic=torch.are_deterministic_algorithms_enabled(),
    )
