"""The contents of one picture: a room with its furniture and fittings, its lamps and the camera.

The room is the box from (0, 0, 0) to its size in meters; x is along its width, y along its depth, away from the camera,
and z points up.
"""

from dataclasses import dataclass
from functools import cached_property

from ..camera import Pinhole, Vector
from .paint import Color, Paint
from .solids import Piece, Solid
from .vocabulary import label

__all__ = ["FACES", "VIEW", "Lamp", "Scene"]

FACES = (*(label("wall"),) * 4, label("floor"), label("ceiling"))
"""Classes of the faces of a room: at the least and the greatest x, then y, then z."""
VIEW = (1.14, 0.855)
"""Tangent of the camera's field of view, whole, across and down: 59 and 46 degrees, nearly those of NYUv2's Kinect."""


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """A lamp or a window that gives light.

    Attributes:
        position: its middle.
        power: light, red, green and blue, on a surface that faces it nearby.
        radius: half the side of the square that the light comes from, in meters.
        facing: the direction that a window faces; none for a lamp, which shines in all directions.
    """

    position: Vector
    power: Color
    radius: float
    facing: Vector | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A room with everything in it.

    Attributes:
        size: the size of the room along x, y and z in meters.
        paints: the paints of the six faces, in the order of `FACES`.
        pieces: all furniture and things.
        lamps: those that cast shadows.
        ambient: light from everywhere.
        exposure: mean brightness of the picture, linear.
        noise: standard deviation of the noise of the camera in the picture's units of 0 to 1.
        camera: the camera, inside the room.
    """

    size: Vector
    paints: tuple[Paint, ...]
    pieces: tuple[Piece, ...]
    lamps: tuple[Lamp, ...]
    ambient: Color
    exposure: float
    noise: float
    camera: Pinhole

    @cached_property
    def solids(self) -> tuple[Solid, ...]:
        """The solids of all pieces."""
        return tuple(solid for piece in self.pieces for solid in piece.solids)
