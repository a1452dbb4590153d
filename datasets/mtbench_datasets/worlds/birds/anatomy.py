"""A bird's body: the solids that it is made of, in a pose."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ..curve import curve
from .species import Form
from .sweeps import Sweep, place

__all__ = ["Anatomy", "Label", "Pose", "build"]

Matrix = NDArray[np.float64]
SIDES = (-1, 1)
"""Left and right; bodies are built along axes forward, up and right."""
RIGHT = np.array([0.0, 0.0, 1.0])
TOES = (-32, 0, 32, 180)
"""Directions of the toes against the heading, in degrees."""


class Label(IntEnum):
    """The part of the scene that a solid belongs to."""

    TRUNK = 0
    HEAD = 1
    BEAK = 2
    TAIL = 3
    LEFT_WING = 4
    RIGHT_WING = 5
    LEFT_EYE = 6
    RIGHT_EYE = 7
    LEFT_RING = 8
    RIGHT_RING = 9
    LEFT_LEG = 10
    RIGHT_LEG = 11
    PERCH = 12
    LEAF = 13


EYES, RINGS = (Label.LEFT_EYE, Label.RIGHT_EYE), (Label.LEFT_RING, Label.RIGHT_RING)
WINGS, LEGS = (Label.LEFT_WING, Label.RIGHT_WING), (Label.LEFT_LEG, Label.RIGHT_LEG)


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Angles in degrees.

    Attributes:
        yaw: the heading: 0 to the right, 90 away from the viewer, 180 to the left.
        upright: angle of the trunk above the horizontal.
        elevation: angle of the viewer above the horizontal.
        roll: rotation of the picture.
        look, nod: angles of the head to its right and up, against the heading.
        tail, fan: the tail's angle against the trunk, and how it is turned about its own line.
        droop: angle of the wings against the trunk.
    """

    yaw: float
    upright: float
    elevation: float
    roll: float
    look: float
    nod: float
    tail: float
    fan: float
    droop: float


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """A bird as seen.

    Attributes:
        sweeps: its solids.
        dorsal: (K, 3) direction of the back along the trunk's line, from the tail's base to the neck.
        head: (3, 3) rows: forward, up and right of the head.
        eyes: the direction in which each eye looks, by label.
        feet: (2, 3) where the left and the right foot stand.
        scale: pixels per length of the trunk.

    Directions and places are those of the camera, as in `Sweep`.
    """

    sweeps: list[Sweep]
    dorsal: Matrix
    head: Matrix
    eyes: dict[Label, Matrix]
    feet: Matrix
    scale: float


def build(form: Form, pose: Pose, scale: float, origin: Matrix) -> Anatomy:
    """Return a bird of given proportions in a pose; the middle of its trunk is seen at `origin`, in pixels."""
    workshop = _Workshop(turn=_turn(pose), scale=scale, origin=origin, sweeps=[])
    tilt = math.radians(pose.upright)
    axis = np.array([math.cos(tilt), math.sin(tilt), 0.0])
    back = np.array([-math.sin(tilt), math.cos(tilt), 0.0])
    spine, head = _spine(form, axis, back, tilt)
    workshop.add(Label.TRUNK, spine)
    axes = _head_axes(pose)
    eyes = _add_head(workshop, form, head, axes)
    _add_wings(workshop, form, pose, axis, back)
    _add_tail(workshop, form, pose, axis, back)
    feet = _add_legs(workshop, form, axis, back)
    return Anatomy(
        sweeps=workshop.sweeps,
        dorsal=_dorsal(spine[:, :3]) @ workshop.turn.T,
        head=np.stack(axes) @ workshop.turn.T,
        eyes={label: workshop.turn @ out for label, out in eyes.items()},
        feet=feet @ workshop.turn.T * scale + origin,
        scale=scale,
    )


@dataclass(frozen=True, kw_only=True)
class _Workshop:
    """A place where solids are made; turn, scale and origin as of `sweeps.place`."""

    turn: Matrix
    scale: float
    origin: Matrix
    sweeps: list[Sweep]

    def add(
        self,
        label: Label,
        points: Sequence[tuple[float, ...]] | Matrix,
        steps: int = 4,
        thin: Matrix | None = None,
        ratio: float = 1.0,
    ) -> None:
        """Add a solid along the curve through points (P, 4), centers and radii."""
        line = curve(np.asarray(points, dtype=np.float64), steps)
        self.sweeps.append(place(label, line, self.turn, self.scale, self.origin, thin, ratio))


def _add_head(
    workshop: _Workshop, form: Form, head: Matrix, axes: tuple[Matrix, Matrix, Matrix]
) -> dict[Label, Matrix]:
    """Add skull, beak and eyes; return the directions in which the eyes look."""
    forward, up, side = axes
    size = form.head
    skull = np.stack([head - 0.12 * size * forward, head + 0.2 * size * forward - 0.04 * size * up])
    workshop.add(Label.HEAD, np.column_stack([skull, [size, 0.9 * size]]))
    base = head + size * (0.86 * forward - 0.10 * up)
    length, thick = form.beak * size, form.thick * size
    beak = [
        (*(base + length * (t * forward - form.hook * t**3 * up)), thick * (1 - 0.9 * t**1.3))
        for t in (0, 0.33, 0.67, 1)
    ]
    workshop.add(Label.BEAK, beak, 5, side, 0.8)
    eyes = {}
    middle = head + 0.1 * size * forward
    for sign, eye, ring in zip(SIDES, EYES, RINGS, strict=True):
        out = 0.50 * forward + 0.22 * up + sign * 0.84 * side
        out /= np.sqrt((out**2).sum())
        workshop.add(ring, [(*(middle + 0.86 * size * out), 0.42 * size)], 1, out, 0.40)
        workshop.add(eye, [(*(middle + 0.90 * size * out), 0.365 * size)], 1, out, 0.55)
        eyes[eye] = out
    return eyes


def _add_wings(workshop: _Workshop, form: Form, pose: Pose, axis: Matrix, back: Matrix) -> None:
    """Add folded wings: flat, close to the trunk, and closer toward their tips."""
    droop = math.radians(pose.droop)
    along = -math.cos(droop) * axis - math.sin(droop) * back
    for sign, label in zip(SIDES, WINGS, strict=True):
        root = 0.27 * axis + 0.07 * back + sign * 0.235 * form.plump * RIGHT
        inward = -sign * 0.17 * form.plump * RIGHT
        out = sign * RIGHT + 0.28 * back
        out -= (out @ along) * along
        out /= np.sqrt((out**2).sum())
        wing = [
            (*(root + form.wing * t * along + t**1.5 * inward + 0.02 * math.sin(3 * t) * back), radius)
            for t, radius in ((0, 0.10), (0.22, 0.165), (0.5, 0.165), (0.78, 0.10), (1.0, 0.035))
        ]
        workshop.add(label, wing, 4, out, 0.40)


def _add_tail(workshop: _Workshop, form: Form, pose: Pose, axis: Matrix, back: Matrix) -> None:
    """Add the tail, flat, and turned about its line so that it can be seen from the side."""
    lift, fan = math.radians(pose.upright + pose.tail), math.radians(pose.fan)
    along = -np.array([math.cos(lift), math.sin(lift), 0.0])
    above = math.cos(fan) * np.array([-math.sin(lift), math.cos(lift), 0.0]) + math.sin(fan) * RIGHT
    root = -0.42 * axis + 0.03 * back
    tail = [(*(root + t * form.tail * along), r) for t, r in ((0, 0.07), (0.3, 0.11), (0.7, 0.14), (1.0, 0.12))]
    workshop.add(Label.TAIL, tail, 4, above, 0.42)


def _add_legs(workshop: _Workshop, form: Form, axis: Matrix, back: Matrix) -> Matrix:
    """Add legs and toes; return where the feet stand (2, 3)."""
    ground = -0.30 * form.plump * axis[0] - 0.08 * axis[1] - form.leg
    feet = []
    for sign, label in zip(SIDES, LEGS, strict=True):
        hip = -0.08 * axis - 0.16 * form.plump * back + sign * 0.11 * RIGHT
        knee = hip + np.array([-0.05, -0.10, 0.0])
        foot = np.array([knee[0] + 0.10, ground, 1.1 * knee[2]])
        workshop.add(label, np.column_stack([np.stack([hip, knee, foot]), [0.09, 0.05, 0.042]]), 16)
        for angle in map(math.radians, TOES):
            toe = foot + 0.17 * np.array([math.cos(angle), -0.12, math.sin(angle)])
            workshop.add(label, np.column_stack([np.stack([foot, toe]), [0.042, 0.028]]), 5)
        feet.append(foot)
    return np.stack(feet)


def _turn(pose: Pose) -> Matrix:
    """Return the matrix from forward, up and right of the heading to the camera's x, y and z."""
    a, e, r = (math.radians(angle) for angle in (pose.yaw, pose.elevation, pose.roll))
    yaw = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    tip = np.array([[1, 0, 0], [0, math.cos(e), -math.sin(e)], [0, math.sin(e), math.cos(e)]])
    roll = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    matrix: Matrix = np.diag([1.0, -1.0, 1.0]) @ roll @ tip @ yaw
    return matrix


def _head_axes(pose: Pose) -> tuple[Matrix, Matrix, Matrix]:
    """Return forward, up and right of the head."""
    look, nod = math.radians(pose.look), math.radians(pose.nod)
    forward = np.array([math.cos(nod) * math.cos(look), math.sin(nod), math.cos(nod) * math.sin(look)])
    side = np.array([-math.sin(look), 0.0, math.cos(look)])
    return forward, np.cross(side, forward), side


def _spine(form: Form, axis: Matrix, back: Matrix, tilt: float) -> tuple[Matrix, Matrix]:
    """Return centers and radii (7, 4) from the tail's base to the head, and the head's center."""
    p, size = form.plump, form.head
    shoulder = 0.36 * axis + 0.05 * back
    rise = tilt + math.radians(48) * (1 - tilt / math.pi)
    neck = np.array([math.cos(rise), math.sin(rise), 0.0])
    head = shoulder + (form.neck + 0.6 * size) * neck
    middle = shoulder + 0.5 * form.neck * neck
    slim = 0.72 if form.neck > 0.25 else 0.9
    points = [
        (*(-0.46 * axis + 0.02 * back), 0.07),
        (*(-0.30 * axis), 0.17 * p),
        (*(-0.05 * axis - 0.02 * back), 0.27 * p),
        (*(0.18 * axis - 0.01 * back), 0.285 * p),
        (*shoulder, 0.22 * p),
        (*middle, slim * (0.5 * 0.2 * p + 0.5 * size)),
        (*head, 0.88 * size * (slim if form.neck > 0.25 else 1)),
    ]
    return np.array(points), head


def _dorsal(points: Matrix) -> Matrix:
    """Return the direction of the back at points along the trunk."""
    along = np.gradient(points, axis=0)
    along /= np.sqrt((along**2).sum(1, keepdims=True))
    dorsal: Matrix = np.cross(RIGHT, along)
    return dorsal
