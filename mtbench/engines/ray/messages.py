"""The messages between the command and its bridge to Ray: texts and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Cluster", "Connected", "Nodes", "Over", "Refused", "Stop", "Submit"]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The cluster to connect to, and the part of a node that each run gets: the first message to the bridge.

    Attributes:
        address: host and port of its head; empty for one that the bridge starts on this machine.
        room: the number of CPUs of a cluster that the bridge starts.
        cpus, gpus: the part of a node that a run gets.
    """

    address: str
    room: int
    cpus: int
    gpus: float


@dataclass(frozen=True, kw_only=True)
class Submit:
    """A task to be submitted.

    Attributes:
        number: the number by which its end is reported.
        name: its name at Ray.
        words, environment, folder, log: see `mtbench.engines.ray.attend.attend`.
    """

    number: int
    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    log: str


@dataclass(frozen=True)
class Stop:
    """The request to cancel all tasks and, once they are over, to end."""


@dataclass(frozen=True, kw_only=True)
class Connected:
    """The bridge is connected, as a job of this name at Ray."""

    job: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The bridge cannot connect, for this reason."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """The nodes have changed.

    Attributes:
        alive: the number of nodes.
        fit: True if one of them is large enough for a run.
    """

    alive: int
    fit: bool


@dataclass(frozen=True, kw_only=True)
class Over:
    """A task has ended.

    Attributes:
        number: its number.
        code: the exit code of its command; None if it has none.
        why: the reason why there is none; empty otherwise.
        is_lost: True if the worker was lost, and False if its machine cannot execute the command.
    """

    number: int
    code: int | None
    why: str
    is_lost: bool
