"""Random rooms: their size and paints, furniture against walls and free, lamps, and the camera."""

import math
from collections.abc import Iterator
from dataclasses import replace

from ..camera import Pinhole
from ..draws import Draws
from . import fittings, palette
from .furniture import FURNITURE, box, chair
from .paint import Color
from .palette import Style, draw_style
from .scene import VIEW, Lamp, Scene
from .solids import Piece
from .space import Space
from .vocabulary import UNDEFINED

__all__ = ["draw_scene"]

KINDS: dict[str, dict[str, tuple[float, ...]]] = {
    "bedroom": {"bed": (1, 0.15), "cabinet": (0.9, 0.5), "table": (0.3,), "chair": (0.4,)},
    "living room": {"sofa": (1, 0.6, 0.2), "cabinet": (0.9, 0.5, 0.2), "table": (0.8,), "chair": (0.3,)},
    "dining room": {"table": (1, 0.1), "cabinet": (0.9, 0.5), "sofa": (0.15,), "chair": (0.4,)},
    "study": {"table": (1, 0.4), "cabinet": (1, 0.7, 0.4), "sofa": (0.2,), "chair": (0.5,), "bed": (0.1,)},
    "hall": {"cabinet": (0.6, 0.2), "table": (0.3,), "chair": (0.5, 0.3), "sofa": (0.2,)},
}
"""Probabilities of one, another and a third piece of a class in each kind of room."""
FREQUENCIES = {"bedroom": 3, "living room": 3, "dining room": 2.5, "study": 2, "hall": 1}
CHAIRS = {"bedroom": 1, "living room": 1, "dining room": 4, "study": 2, "hall": 1}
"""Greatest number of chairs about a table."""
UNNAMED = 0.03
UNNAMED_OBJECT = 0.15
"""Probabilities that a piece, or a small object, has no name."""


def draw_scene(draws: Draws) -> Scene:
    """Return a random room with everything in it."""
    kind, style = draws.choose(FREQUENCIES), draw_style(draws)
    size = (draws.uniform(2.9, 5.6), draws.uniform(3.2, 6.2), draws.uniform(2.35, 2.95))
    eye = (size[0] * draws.uniform(0.25, 0.75), draws.uniform(0.3, 0.22 * size[1]), draws.uniform(1.05, 1.75))
    aim = (size[0] * draws.uniform(0.15, 0.85), size[1] * draws.uniform(0.65, 1))
    yaw = math.atan2(aim[0] - eye[0], aim[1] - eye[1]) + math.radians(draws.middling(-10, 10))
    pitch = math.radians(draws.uniform(-24, -1))
    ahead = (math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch))
    camera = Pinhole(position=eye, target=(eye[0] + ahead[0], eye[1] + ahead[1], eye[2] + ahead[2]), view=VIEW)
    space = Space(size=size, eye=eye, draws=draws)
    day, lit = draws.chance(0.75), draws.chance(0.6)
    windows = list(_windows(space, style, day=day))
    pieces = [
        *windows,
        *_furnish(space, style, kind),
        *_hang(space, style),
        *_litter(space),
        *_standing(space, lit=lit),
    ]
    if draws.chance(0.4):
        pieces.append(_carpet(space, style))
    top = (size[0] * draws.uniform(0.3, 0.7), size[1] * draws.uniform(0.35, 0.7))
    if draws.chance(0.5):
        pieces.append(fittings.hanging_lamp(draws, size[2], lit=lit).placed(*top))
    pieces = [_named(piece, draws) for piece in pieces]
    wall, floor, ceiling = palette.wall(draws), palette.floor(draws), palette.ceiling(draws)
    accent = palette.wall(draws) if draws.chance(0.2) else wall
    return Scene(
        size=size,
        paints=(wall, wall, wall, accent, floor, ceiling),
        pieces=tuple(pieces),
        lamps=tuple(_lamps(draws, top, size[2], windows if day else [], lit=lit)),
        ambient=_tinted(draws, draws.uniform(0.3, 0.6)),
        exposure=draws.uniform(0.16, 0.38),
        noise=draws.uniform(0.005, 0.025),
        camera=camera,
    )


def _windows(space: Space, style: Style, *, day: bool) -> Iterator[Piece]:
    for chance in (0.75, 0.35):
        if space.draws.chance(chance):
            yield from space.hung(fittings.window(space.draws, style, space.size[2], day=day))


def _furnish(space: Space, style: Style, kind: str) -> Iterator[Piece]:
    draws = space.draws
    if draws.chance(0.55):
        yield from space.hung(fittings.door(draws, style, space.size[2]), free=0.6)
    for name, chances in KINDS[kind].items():
        for chance in chances:
            if not draws.chance(chance):
                continue
            piece = FURNITURE[name](draws, style)
            free = name == "chair" or (name == "table" and kind != "study" and draws.chance(0.75))
            for placed in space.standing(piece) if free else space.against(piece):
                yield placed
                if name in ("table", "cabinet"):
                    yield from _upon(space, placed)
                if name == "table":
                    yield from _seats(space, style, placed, CHAIRS[kind])


def _seats(space: Space, style: Style, table: Piece, most: int) -> Iterator[Piece]:
    """Yield chairs about a table, which face it."""
    draws, (low, high) = space.draws, table.bounds
    if high[2] < 0.6:
        return
    for turn in [90 * number for number in draws.order(4)][: draws.below(most) + 1]:
        angle = math.radians(turn - 90)
        away = 0.12 + draws.uniform(0, 0.25)
        x, y = (
            (low[axis] + high[axis]) / 2 + along * ((high[axis] - low[axis]) / 2 + away)
            for axis, along in enumerate((math.cos(angle), math.sin(angle)))
        )
        yield from space.at(chair(draws, style), x, y, turn + 180 + draws.uniform(-25, 25), beside=table)


def _upon(space: Space, piece: Piece) -> Iterator[Piece]:
    """Yield small things on top of a piece."""
    draws, (low, high) = space.draws, piece.bounds
    if high[2] > 1.4:
        return
    for _ in range(draws.below(4)):
        thing = (
            fittings.table_lamp(draws, lit=draws.chance(0.5))
            if draws.chance(0.22)
            else fittings.small_object(draws, large=False)
        )
        x, y = (draws.uniform(0.7 * a + 0.3 * b, 0.3 * a + 0.7 * b) for a, b in zip(low[:2], high[:2], strict=True))
        yield thing.placed(x, y, high[2], draws.uniform(0, 360))


def _hang(space: Space, style: Style) -> Iterator[Piece]:
    for _ in range(space.draws.below(4)):
        yield from space.hung(fittings.picture(space.draws, style, space.size[2]))


def _litter(space: Space) -> Iterator[Piece]:
    for _ in range(space.draws.below(4)):
        yield from space.standing(fittings.small_object(space.draws, large=True))


def _standing(space: Space, *, lit: bool) -> Iterator[Piece]:
    if space.draws.chance(0.4):
        yield from space.standing(fittings.floor_lamp(space.draws, lit=lit))


def _carpet(space: Space, style: Style) -> Piece:
    """Return a carpet, which is part of the floor."""
    draws = space.draws
    a, b = draws.uniform(0.5, 1.2), draws.uniform(0.6, 1.4)
    x, y = space.size[0] * draws.uniform(0.35, 0.65), space.size[1] * draws.uniform(0.45, 0.65)
    carpet = replace(box("floor", palette.fabric(draws, style), (-a, -b, 0), (a, b, 0.01)), casts=False)
    return Piece(solids=(carpet,)).placed(x, y, 0, draws.uniform(-15, 15))


def _named(piece: Piece, draws: Draws) -> Piece:
    """Return a piece, in rare cases one without a name."""
    (low, high) = piece.bounds
    small = max(b - a for a, b in zip(low, high, strict=True)) < 0.5
    return piece.labeled(UNDEFINED) if draws.chance(UNNAMED_OBJECT if small else UNNAMED) else piece


def _lamps(draws: Draws, top: tuple[float, float], height: float, windows: list[Piece], *, lit: bool) -> Iterator[Lamp]:
    """Yield the lamp under the ceiling and the light of the first window, if there is one."""
    strength = draws.uniform(0.5, 1.1) if lit or not windows else draws.uniform(0.1, 0.3)
    yield Lamp(position=(*top, height - 0.35), power=_tinted(draws, strength, warm=0.15), radius=0.25)
    if windows:
        low, high = windows[0].bounds
        middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
        thin = 0 if high[0] - low[0] < high[1] - low[1] else 1
        sign = 1.0 if thin == 0 and middle[0] < 1 else -1.0
        middle[thin] += 0.1 * sign
        facing = (sign, 0.0, 0.0) if thin == 0 else (0.0, sign, 0.0)
        power = _tinted(draws, draws.uniform(0.8, 1.8), warm=-0.1)
        yield Lamp(position=(middle[0], middle[1], middle[2]), power=power, radius=0.35, facing=facing)


def _tinted(draws: Draws, strength: float, warm: float = 0.0) -> Color:
    tint = warm + draws.uniform(-0.1, 0.1)
    return (strength * (1 + tint), strength, strength * (1 - tint))
