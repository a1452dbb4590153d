"""Resources that a claim may hold equal."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

__all__ = ["RESOURCES", "Resource", "are_equal"]

Resource: TypeAlias = Literal["steps", "label-uses", "training-macs"]
"""A resource by its name in suites."""

RESOURCES: Mapping[Resource, str] = {
    "steps": "steps",
    "label-uses": "label uses",
    "training-macs": "training MACs",
}
"""The resources of a run, in words: optimizer steps, labels that entered a loss, and multiply-accumulates of the
forward passes of training."""

_WITHIN: Mapping[str, float] = {"training-macs": 0.03}
"""Fractions by which numbers may differ and count as equal; 0 for the others."""


def are_equal(resource: str, numbers: Sequence[float]) -> bool:
    """Return whether numbers of a resource count as equal: exactly, or multiply-accumulates within 3 %."""
    return max(numbers) - min(numbers) <= _WITHIN.get(resource, 0.0) * max(numbers)
