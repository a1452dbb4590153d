"""Names that distributions offer by entry points.

The built-ins use the same entry points as third-party packages.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, entry_points

from mtbench.errors import PluginError

__all__ = ["GROUPS", "NAME", "PluginEntry", "entries"]

GROUPS = {
    "method": "mtbench.methods",
    "balancer": "mtbench.balancers",
    "dataset": "mtbench.datasets",
    "backbone": "mtbench.backbones",
    "exhibit": "mtbench.exhibits",
    "engine": "mtbench.engines",
    "tracker": "mtbench.trackers",
}
NAME = re.compile(r"[a-z][a-z0-9-]*")
"""The form of every plug-in's name."""


@dataclass(frozen=True, kw_only=True, order=True)
class PluginEntry:
    """A name that a distribution offers: ``td = mtbench_methods.networks.td.network:TopDown`` of mtbench 0.1.0."""

    kind: str
    name: str
    value: str
    distribution: str
    version: str

    @property
    def module(self) -> str:
        return self.value.partition(":")[0]

    @property
    def attribute(self) -> str:
        return self.value.partition(":")[2]

    @property
    def origin(self) -> str:
        return f"{self.distribution} {self.version}"


@cache
def entries(kind: str) -> dict[str, PluginEntry]:
    """Return every installed plug-in of a kind, one of `GROUPS`, by name, sorted.

    Raises:
        PluginError: two distributions offer one name, or a name is not of the form [a-z][a-z0-9-]*.
    """
    found: dict[str, PluginEntry] = {}
    for point in sorted(set(entry_points(group=GROUPS[kind])), key=lambda p: (p.name, p.value)):
        assert point.dist is not None  # entry points found by metadata always have one
        distribution, version = _name_and_version(point.dist)
        entry = PluginEntry(kind=kind, name=point.name, value=point.value, distribution=distribution, version=version)
        if not NAME.fullmatch(entry.name):
            raise PluginError(
                f"{entry.origin} registers the {kind} name '{entry.name}'.",
                mend="Rename it in that package's entry points.",
                allowed="A name is lower-case letters, digits and '-', beginning with a letter.",
            )
        other = found.get(entry.name)
        if other is not None and (other.value, other.distribution) != (entry.value, entry.distribution):
            raise PluginError(
                f"two distributions offer the {kind} '{entry.name}': {other.origin} ({other.value}) "
                f"and {entry.origin} ({entry.value}).",
                mend="Uninstall one of them.",
            )
        found[entry.name] = entry
    return found


@cache
def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    # Each of them parses the whole metadata, of which the README is a part, so this is done once per distribution.
    metadata = distribution.metadata
    return metadata["Name"], metadata["Version"]
