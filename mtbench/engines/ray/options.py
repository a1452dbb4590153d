"""The options of the engine ``ray``."""

from dataclasses import dataclass
from pathlib import Path

from mtbench.contract import option
from mtbench.errors import UsageError

__all__ = ["RayOptions"]


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """Options of the engine ``ray``, each with its default and what it does."""

    head: str = option("", "host of the head of the cluster, by name or number; by default a cluster is started here")
    port: int = option(6379, "port of the head", low=1, high=65535)
    token: str = option("", "file with the cluster's authentication token; by default the cluster has none")
    cpus: int = option(1, "CPUs that a run is given", low=1)
    gpus: float = option(0.0, "GPUs that a run is given, e.g. 1, or 0.5 for two runs that share one", low=0)
    deadline: float = option(
        60.0, "seconds to wait for the cluster to answer, and for a node that is large enough for a run", low=1
    )

    def __post_init__(self) -> None:
        if "/" in self.head:
            raise UsageError(
                f"option 'head' of engine 'ray' is '{self.head}'.",
                allowed="It is a host, such as 10.0.0.1, without ray://.",
            )
        if self.token and not self.head:
            raise UsageError("option 'token' of engine 'ray' is given without 'head'.", mend="Add head=HOST.")
        if self.token and not Path(self.token).is_file():
            raise UsageError(f"option 'token' of engine 'ray' is '{self.token}', which is no file.")
        if self.gpus > 1 and not self.gpus.is_integer():
            raise UsageError(
                f"option 'gpus' of engine 'ray' is {self.gpus:g}.",
                allowed="A run gets a whole number of GPUs, or a fraction of one.",
            )

    @property
    def address(self) -> str:
        """Host and port of the head; empty for a cluster that is started here."""
        return f"{self.head}:{self.port}" if self.head else ""
