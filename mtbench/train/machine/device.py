"""The device of a run, and the settings that make its bits repeatable there."""

import os

import torch

from mtbench.errors import UsageError

__all__ = ["check_precision", "choose_device", "deterministic", "waits"]


def choose_device(name: str) -> torch.device:
    """Return the device of that name: ``cpu``, ``cuda``, ``cuda:N``, or ``auto`` for a GPU if there is one.

    Raises:
        UsageError: there is no such device on this machine.
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
    """Return True if reading a number from the device waits for all of its pending work, as on a GPU.

    On such devices training reads nothing between two steps; on a CPU reading costs nothing.
    """
    return device.type != "cpu"


def check_precision(device: torch.device, precision: str) -> None:
    """Raise UsageError if the device does not have that precision."""
    if precision == "tf32" and device.type != "cuda":
        raise UsageError(
            f"protocol setting 'precision' is 'tf32', which a {device.type} does not have.",
            mend="Use --set precision=float32, or give --device cuda.",
        )


def deterministic(device: torch.device, precision: str) -> None:
    """Make this process compute the same bits for the same computation on the same device.

    On a CPU one thread is used, since sums differ with the number of threads. On CUDA this must be called before the
    first computation; TF32 is off unless the training protocol's precision is ``tf32``.

    Raises:
        UsageError: the device does not have that precision.
    """
    check_precision(device, precision)
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.use_deterministic_algorithms(True)
    # Filling memory before it is written costs time, and only hides reads of uninitialized values.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if device.type == "cpu":
        torch.set_num_threads(1)
        return
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
