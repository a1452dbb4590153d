"""A bird's body: the solids that it is made of, in a pose."""

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .species import Form
from .sweeps import Sweep, curve, place

__all__ = ["Anatomy", "Label", "Pose", "build"]

Matrix = NDArray[np.float64]
SIDES = (-1, 1)
"""Left and right."""


class Label(IntEnum):
    """What a solid belongs to."""

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


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Angles in degrees.

    Attributes:
        yaw: the heading: 0 to the right, 90 away from the viewer, 180 to the left.
        upright: of the trunk above the horizontal.
        elevation: of the viewer above the horizontal.
        roll: of the picture.
        look, nod: of the head, to its right and up, against the heading.
        tail, fan: the tail's angle against the trunk, and how it is turned about its own line.
        droop: of the wings against the trunk.
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
        eyes: direction that each eye's middle looks, by label.
        feet: (2, 3) where the left and the right foot stand.
        turn, scale, origin: see `sweeps.place`.
    """

    sweeps: list[Sweep]
    dorsal: Matrix
    head: Matrix
    eyes: dict[Label, Matrix]
    feet: Matrix
    turn: Matrix
    scale: float
    origin: Matrix


def build(form: Form, pose: Pose, scale: float, origin: Matrix) -> Anatomy:
    """Return a bird of given proportions in a pose; the middle of its trunk is seen at `origin`, in pixels."""
    turn = _turn(pose)
    sweeps: list[Sweep] = []

    def add(
        label: Label, points: list[tuple[float, ...]] | Matrix, steps: int, thin: Matrix | None = None, ratio: float = 1
    ) -> None:
        line = curve(np.asarray(points, dtype=np.float64), steps)
        sweeps.append(place(label, line, turn, scale, origin, thin, ratio))

    tilt = math.radians(pose.upright)
    axis = np.array([math.cos(tilt), math.sin(tilt), 0.0])
    back = np.array([-math.sin(tilt), math.cos(tilt), 0.0])
    right = np.array([0.0, 0.0, 1.0])
    forward, up, side = _head_axes(pose)
    spine, head = _spine(form, axis, back, tilt)
    add(Label.TRUNK, spine, 4)

    size = form.head
    skull = np.stack([head - 0.12 * size * forward, head + 0.2 * size * forward - 0.04 * size * up])
    add(Label.HEAD, np.column_stack([skull, [size, 0.9 * size]]), 4)
    base = head + size * (0.86 * forward - 0.10 * up)
    length, thick = form.beak * size, form.thick * size
    beak = [
        (*(base + length * (t * forward - form.hook * t**3 * up)), thick * (1 - 0.9 * t**1.3))
        for t in (0, 0.33, 0.67, 1)
    ]
    add(Label.BEAK, beak, 5, side, 0.8)
    eyes = {}
    for sign, eye, ring in zip(
        SIDES, (Label.LEFT_EYE, Label.RIGHT_EYE), (Label.LEFT_RING, Label.RIGHT_RING), strict=True
    ):
        out = 0.50 * forward + 0.22 * up + sign * 0.84 * side
        out /= np.linalg.norm(out)
        middle = head + 0.1 * size * forward
        add(ring, [(*(middle + 0.87 * size * out), 0.37 * size)], 1, out, 0.40)
        add(eye, [(*(middle + 0.91 * size * out), 0.29 * size)], 1, out, 0.55)
        eyes[eye] = turn @ out

    _add_wings(add, form, pose, axis, back, right)
    lift = tilt + math.radians(pose.tail)
    along = -np.array([math.cos(lift), math.sin(lift), 0.0])
    spread = math.radians(pose.fan)
    above = math.cos(spread) * np.array([-math.sin(lift), math.cos(lift), 0.0]) + math.sin(spread) * right
    root = -0.42 * axis + 0.03 * back
    tail = [(*(root + t * form.tail * along), r) for t, r in ((0, 0.07), (0.3, 0.11), (0.7, 0.14), (1.0, 0.12))]
    add(Label.TAIL, tail, 4, above, 0.42)

    feet = []
    for sign, label in zip(SIDES, (Label.LEFT_LEG, Label.RIGHT_LEG), strict=True):
        hip = -0.08 * axis - 0.16 * form.plump * back + sign * 0.11 * right
        knee = hip + np.array([-0.05, -0.10, 0.0])
        ground = -0.30 * form.plump * math.cos(tilt) - 0.08 * math.sin(tilt) - form.leg
        foot = np.array([knee[0] + 0.10, ground, 1.1 * knee[2]])
        add(label, np.column_stack([np.stack([hip, knee, foot]), [0.09, 0.05, 0.042]]), 16)
        for angle in (-32, 0, 32, 180):
            toe = foot + 0.17 * np.array([math.cos(math.radians(angle)), -0.12, math.sin(math.radians(angle))])
            add(label, np.column_stack([np.stack([foot, toe]), [0.042, 0.028]]), 5)
        feet.append(turn @ foot * scale + origin)
    dorsal = _dorsal(spine[:, :3], right) @ turn.T
    return Anatomy(
        sweeps=sweeps,
        dorsal=dorsal,
        head=np.stack([forward, up, side]) @ turn.T,
        eyes=eyes,
        feet=np.stack(feet),
        turn=turn,
        scale=scale,
        origin=origin,
    )


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


def _add_wings(add, form: Form, pose: Pose, axis: Matrix, back: Matrix, right: Matrix) -> None:  # type: ignore[no-untyped-def]
    droop = math.radians(pose.droop)
    along = -math.cos(droop) * axis - math.sin(droop) * back
    for sign, label in zip(SIDES, (Label.LEFT_WING, Label.RIGHT_WING), strict=True):
        root = 0.27 * axis + 0.07 * back + sign * 0.235 * form.plump * right
        inward = -sign * 0.17 * right
        out = sign * right + 0.28 * back
        out -= (out @ along) * along
        out /= np.linalg.norm(out)
        wing = [
            (*(root + form.wing * t * along + t**1.5 * form.plump * inward + 0.02 * math.sin(3 * t) * back), radius)
            for t, radius in ((0, 0.10), (0.22, 0.165), (0.5, 0.165), (0.78, 0.10), (1.0, 0.035))
        ]
        add(label, wing, 4, out, 0.40)


def _dorsal(points: Matrix, right: Matrix) -> Matrix:
    """Return the direction of the back at points along the trunk."""
    along = np.gradient(points, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    return np.cross(right, along)
