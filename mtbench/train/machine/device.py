"""The device that a run computes on, and the settings that make its bits repeatable there."""

import os

import torch

from mtbench.errors import UsageError

__all__ = ["check_precision", "choose_device", "deterministic", "waits"]


def choose_device(name: str) -> torch.device:
    """Return the device of that name: ``cpu``, ``cuda``, ``cuda:N``, or ``auto`` for a GPU if there is one.

    Raises:
        UsageError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not (kind == "cuda" and number.isdecimal())):
        raise UsageError(f"--device is '{name}'.", allowed="Allowed: auto, cpu, cuda, cuda:N.")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "cuda" and int(number or 0) >= count:
        raise UsageError(
            f"--device is '{name}', and torch {torch.__version__} sees {count} CUDA devices on this machine.",
            mend="Use --device cpu, or a torch built for this machine's GPU and driver.",
        )
    return torch.device(name)


def waits(device: torch.device) -> bool:
    """Return whether reading a number from the device waits until all that was asked of it is done, as on a GPU.

    There training reads nothing between two steps; on a CPU reading costs nothing.
    """
    return device.type != "cpu"


def check_precision(device: torch.device, precision: str) -> None:
    """Raise UsageError if the device does not have that precision."""
    if precision == "tf32" and device.type != "cuda":
        raise UsageError(
            f"protocol setting 'precision' is 'tf32', which a {device.type} does not have.",
            mend="Leave it at float32, or give --device cuda.",
        )


def deterministic(device: torch.device, precision: str) -> None:
    """Make this process compute the same bits whenever it computes the same thing on the same device.

    On a CPU one thread is used, since sums differ with the number of threads. On CUDA this must come before the first
    computation; TF32 is off unless the protocol's precision is ``tf32``.

    Raises:
        UsageError: the device does not have that precision.
    """
    check_precision(device, precision)
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.use_deterministic_algorithms(True)
    # Filling memory before it is written costs time, and only hides reads of what was never set.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if device.type == "cpu":
        torch.set_num_threads(1)
        return
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
