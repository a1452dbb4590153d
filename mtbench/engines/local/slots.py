"""Slots for runs: one for each run that this machine executes at a time, each with its device."""

import math
import os
from itertools import chain, repeat
from pathlib import Path

import torch

from mtbench.contract.options.limits import check_number
from mtbench.errors import UsageError
from mtbench.train.machine.device import choose_device

__all__ = ["cores", "slots"]


def slots(device: str, jobs: int | None, runs_per_device: int) -> list[str]:
    """Return a device for each run that may execute at a time, in the order in which they are used.

    Args:
        device: ``cpu`` gives one slot per core; ``cuda`` every GPU in turn; ``cuda:N`` that GPU; ``auto`` GPUs if there
            are any.
        jobs: the number of slots on a CPU, the largest number on GPUs; None for as many as there are cores or slots.
        runs_per_device: the number of runs that share a GPU, each in its own process; 1 on a CPU, which has a slot per
            core.

    Raises:
        UsageError: there is no such device, a number is out of bounds, or several runs are to share a CPU.
    """
    check_number("--jobs", 1 if jobs is None else jobs, "jobs")
    check_number("--runs-per-device", runs_per_device, "runs-per-device")
    chosen = choose_device(device)
    if chosen.type == "cpu":
        if runs_per_device > 1:
            raise UsageError(
                f"--runs-per-device is {runs_per_device}, and the device is the CPU, where each run has a core.",
                mend=f"For {runs_per_device} runs at a time use --jobs {runs_per_device}.",
            )
        return ["cpu"] * (jobs or cores())
    every = [str(chosen)] if chosen.index is not None else [f"cuda:{n}" for n in range(torch.cuda.device_count())]
    return list(chain.from_iterable(repeat(every, runs_per_device)))[:jobs]


def cores() -> int:
    """Return the number of cores that this process may use: those it is bound to, limited by its group's quota."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(bound, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no control group, or no quota ("max")
        return bound
