"""Numerics of a run: the libraries, instructions and settings that determine the rounding of its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["UNKNOWN", "Numerics"]

UNKNOWN = "unknown"
"""A version or an instruction set that could not be found."""


@dataclass(frozen=True, kw_only=True)
class Numerics:
    """Everything below the code of a run that its numbers depend on.

    Numerics never make a record stale. Runs with different numerics are not equal to the bit, and reports say so where
    they are shown together.

    Attributes:
        libraries: versions by name of distribution: ``torch``, ``numpy``, ``scipy``, ``torchjd``, and further solvers
            that the run's method needs, such as ``clarabel``.
        torch_instructions: the instruction set of torch's own kernels on the CPU, e.g. ``AVX512``.
        onednn_instructions: the instruction set of oneDNN, which computes convolutions on the CPU, e.g.
            ``avx512_core``; ``none`` if torch was built without oneDNN.
        threads: number of threads of one operation of torch on the CPU.
        processor: the model of the CPU, or of the GPU that trains.
        device: ``cpu``, ``cuda`` or another kind of device of torch.
        deterministic: True if torch was set to use only deterministic algorithms.
        cuda: versions of ``runtime``, ``driver`` and ``cudnn``; empty if no GPU trains.
    """

    libraries: Mapping[str, str]
    torch_instructions: str
    onednn_instructions: str
    threads: int
    processor: str
    device: str
    deterministic: bool
    cuda: Mapping[str, str] = field(default_factory=dict)

    def aspects(self) -> dict[str, str]:
        """Return every value as text, by its name in sentences: ``torch version``, ``threads``, ..."""
        return {
            **{f"{name} version": version for name, version in self.libraries.items()},
            "instruction set of torch": self.torch_instructions,
            "instruction set of oneDNN": self.onednn_instructions,
            "threads": str(self.threads),
            "processor": self.processor,
            "device": self.device,
            "deterministic algorithms": "on" if self.deterministic else "off",
            **{f"CUDA {name} version": version for name, version in self.cuda.items()},
        }

    def differences(self, before: "Numerics") -> list[str]:
        """Return the differences from earlier numerics, each as ``instruction set of torch AVX512, and AVX2 before``.

        A value that only one of the two has (a solver that the other method does not need), or that is unknown in one
        of them, is no difference.
        """
        mine, theirs = self.aspects(), before.aspects()
        return [
            f"{aspect} {value}, and {theirs[aspect]} before"
            for aspect, value in mine.items()
            if theirs.get(aspect, value) != value and UNKNOWN not in (value, theirs[aspect])
        ]
