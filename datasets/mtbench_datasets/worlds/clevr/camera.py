"""The camera of a scene, with the directions of the generator. The ground is z = 0."""

from dataclasses import dataclass
from functools import cached_property

from ..camera import Pinhole, Vector, unit

__all__ = ["BEHIND", "DIRECTIONS", "RIGHT", "Camera"]

RIGHT: Vector = (0.688, 0.726, 0.0)
"""Right, on the ground, of a camera that is not jittered: CLEVR looks at the scene along a diagonal."""
BEHIND: Vector = (-0.726, 0.688, 0.0)
DIRECTIONS = ("left", "right", "front", "behind", "above", "below")
VIEW = (0.316, 0.237)


@dataclass(frozen=True, kw_only=True)
class Camera(Pinhole):
    """A pinhole camera with CLEVR's field of view."""

    view: tuple[float, float] = VIEW

    @cached_property
    def directions(self) -> dict[str, Vector]:
        """Unit vectors that relations are measured along, the camera's axes projected to the ground as CLEVR does."""
        right, _, forward = self.axes
        behind = unit((forward[0], forward[1], 0.0))
        vectors = {"right": right, "behind": behind, "above": (0.0, 0.0, 1.0)}
        vectors |= {"left": _negative(right), "front": _negative(behind), "below": (0.0, 0.0, -1.0)}
        return {name: vectors[name] for name in DIRECTIONS}


def _negative(a: Vector) -> Vector:
    return (-a[0] + 0.0, -a[1] + 0.0, -a[2] + 0.0)
