"""Numerics of this process: versions of libraries, and the instruction sets in use."""

import ctypes
import importlib.metadata
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path

import torch

from mtbench.store.record.numerics import UNKNOWN, Numerics

__all__ = ["distribution_version", "numerics", "onednn_instructions", "processor"]

ALWAYS = ("numpy", "scipy", "torchjd")
"""Distributions beside torch whose versions every run has."""
VERBOSE = ("ONEDNN_VERBOSE", "DNNL_VERBOSE")
"""Environment variables that make oneDNN report its operations."""
DRIVER = Path("/proc/driver/nvidia/version")


def numerics(device: torch.device, plugins: Iterable[type] = ()) -> Numerics:
    """Return the present numerics of this process.

    Args:
        plugins: the classes of the method. The modules that they declare as `extra_modules` are the solvers of the
            method.
    """
    solvers = {module for plugin in plugins for module in getattr(plugin, "extra_modules", ())}
    on_gpu = device.type == "cuda"
    return Numerics(
        libraries={
            "torch": torch.__version__,
            **{name: distribution_version(name) for name in (*ALWAYS, *sorted(solvers - {*ALWAYS, "torch"}))},
        },
        torch_instructions=torch.backends.cpu.get_cpu_capability(),
        onednn_instructions=onednn_instructions(),
        threads=torch.get_num_threads(),
        processor=torch.cuda.get_device_name(device) if on_gpu else processor(),
        device=device.type,
        deterministic=torch.are_deterministic_algorithms_enabled(),
        cuda=_cuda() if on_gpu else {},
    )


@cache
def distribution_version(module: str) -> str:
    """Return the version of the distribution that a module comes from; `UNKNOWN` if there is none.

    Distributions usually have the name of their module; only if there is none of that name are all searched, which
    takes about a second.
    """
    root = module.partition(".")[0]
    with suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(root)
    names = importlib.metadata.packages_distributions().get(root)
    return importlib.metadata.version(names[0]) if names else UNKNOWN


@cache
def processor() -> str:
    """Return the model of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


@cache
def onednn_instructions() -> str:
    """Return the instruction set with which oneDNN computes a convolution in this process, e.g. ``avx2``.

    torch does not report it, and exports no function of oneDNN. So one small convolution is computed while oneDNN
    reports its implementation; this respects ``ONEDNN_MAX_CPU_ISA`` as training does. It takes some milliseconds.
    `UNKNOWN` if it cannot be found; ``none`` without oneDNN.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return "none"
    try:
        return _implementation(_said(_convolution))
    except (OSError, ValueError, RuntimeError, AssertionError, AttributeError, TypeError):
        return UNKNOWN


def _convolution() -> None:
    asked = any(os.environ.get(name, "0") != "0" for name in VERBOSE)  # leaving the block would silence it for good
    with torch.no_grad(), nullcontext() if asked else torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):  # type: ignore[no-untyped-call]
        image, kernel = torch.zeros(1, 8, 8, 8), torch.zeros(8, 8, 3, 3)  # for one channel SSE4.1 has no kernel
        torch.mkldnn_convolution(image, kernel, None, (0, 0), (1, 1), (1, 1), 1)


def _implementation(said: str) -> str:
    """Return the instruction set in oneDNN's report: ``avx2`` in ``onednn_verbose,v1,...,convolution,jit:avx2,...``.

    Raises:
        ValueError: the report contains no convolution.
    """
    for line in said.splitlines():
        fields = line.split(",")
        if "exec" in fields and "convolution" in fields:
            return fields[fields.index("convolution") + 1].rpartition(":")[2]
    raise ValueError(said)


def _said(act: Callable[[], None]) -> str:
    """Return oneDNN's writes to the standard output of the process while `act` runs, by a file in its place.

    Other writes to it in the meantime, by another thread, go to the standard output afterwards.

    Raises:
        OSError: there is no standard output, or no place for a file.
    """
    flush = ctypes.CDLL(None).fflush  # oneDNN writes through the buffers of C
    with tempfile.TemporaryFile() as file:
        flush(None)
        kept = os.dup(1)
        try:
            os.dup2(file.fileno(), 1)
            act()
        finally:
            flush(None)
            os.dup2(kept, 1)
            os.close(kept)
        file.seek(0)
        lines = file.read().splitlines(keepends=True)
    said = [line for line in lines if re.match(rb"(one)?dnnl?_verbose", line)]
    if len(said) < len(lines):
        with suppress(OSError):  # what is found does not depend on whether others can print
            sys.stdout.flush()
            os.write(1, b"".join(line for line in lines if line not in said))
    return b"".join(said).decode(errors="replace")


def _cuda() -> dict[str, str]:
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    driver = re.search(r"Kernel Module\D*([\d.]+)", DRIVER.read_text()) if DRIVER.is_file() else None
    return {
        "runtime": torch.version.cuda or UNKNOWN,
        "driver": driver[1] if driver else UNKNOWN,
        "cudnn": str(cudnn) if cudnn else UNKNOWN,
    }
