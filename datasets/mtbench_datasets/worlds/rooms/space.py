"""Free places of a room: on the floor, and along its walls."""

import math
from collections.abc import Iterator
from dataclasses import replace

from ..camera import Vector
from ..draws import Draws
from .solids import Piece

__all__ = ["Space"]

Rectangle = tuple[float, float, float, float]
"""Least x and y, greatest x and y."""

ATTEMPTS = 25
"""Places that are tried for a piece before it is left out."""
GAP = 0.04
"""Meters between pieces."""
DISTANCE = 1.0
"""Least distance of a piece from the camera on the floor."""
TALL = 1.2
"""Height in meters above which a piece reserves its place on the wall, so that nothing hangs behind it."""


class Space:
    """The space that is free yet in a room.

    The walls are those at y = depth, x = 0 and x = width. Each placing function yields the piece where it was placed,
    or nothing where no place was found.
    """

    def __init__(self, *, size: Vector, eye: Vector, draws: Draws) -> None:
        self.size = size
        self.draws = draws
        self._eye = eye
        self._taken: list[Rectangle] = []
        self._walls: tuple[list[tuple[float, float]], ...] = ([], [], [])

    def hung(self, piece: Piece, *, free: float = 0.0) -> Iterator[Piece]:
        """Hang a piece on a wall; nothing is to stand before it within `free` meters."""
        for wall, at in self._along_walls(piece):
            span = self._span(piece, at)
            placed = self._on_wall(piece, wall, at, 0.0)
            before = _rectangle(self._on_wall(_deepened(piece, free), wall, at, 0.0)) if free else None
            if self._wall_is_free(wall, span) and (before is None or self._is_free(before, 0.3)):
                self._walls[wall].append(span)
                if before is not None:
                    self._taken.append(before)
                yield placed
                return

    def against(self, piece: Piece) -> Iterator[Piece]:
        """Place a piece with its back at a wall."""
        low, high = piece.bounds
        for wall, at in self._along_walls(piece):
            span, placed = self._span(piece, at), self._on_wall(piece, wall, at, high[1] + 0.02)
            tall = high[2] - low[2] > TALL
            if self._is_free(_rectangle(placed), DISTANCE) and not (tall and not self._wall_is_free(wall, span)):
                if tall:
                    self._walls[wall].append(span)
                self._taken.append(_rectangle(placed))
                yield placed
                return

    def standing(self, piece: Piece) -> Iterator[Piece]:
        """Place a piece anywhere on the floor before the camera."""
        width, depth, _ = self.size
        for _ in range(ATTEMPTS):
            x, y = self.draws.uniform(0.2, width - 0.2), self.draws.uniform(self._eye[1] + 1, depth - 0.2)
            turn = 90 * self.draws.below(4) + self.draws.middling(-40, 40)
            placed = list(self.at(piece, x, y, turn))
            if placed:
                yield from placed
                return

    def at(self, piece: Piece, x: float, y: float, turn: float, *, beside: Piece | None = None) -> Iterator[Piece]:
        """Place a piece at a point if it is free there; it may overlap the piece `beside`."""
        placed = piece.placed(x, y, 0.0, turn)
        mine = _rectangle(placed)
        ignored = _rectangle(beside) if beside else None
        if self._is_free(mine, DISTANCE, ignored):
            self._taken.append(mine)
            yield placed

    def _along_walls(self, piece: Piece) -> Iterator[tuple[int, float]]:
        """Yield walls and places along them to be tried."""
        width, depth, _ = self.size
        half = (piece.bounds[1][0] - piece.bounds[0][0]) / 2
        for _ in range(ATTEMPTS):
            wall = self.draws.choose({0: width, 1: 0.6 * depth, 2: 0.6 * depth})
            low, high = (0.02, width) if wall == 0 else (self._eye[1] + 0.5, depth)
            if high - low > 2 * half + 0.1:
                yield wall, self.draws.uniform(low + half, high - half - 0.05)

    def _on_wall(self, piece: Piece, wall: int, at: float, away: float) -> Piece:
        """Return a piece whose middle is `at` along a wall and `away` meters from it, with its back to the wall."""
        width, depth, _ = self.size
        if wall == 0:
            return piece.placed(at, depth - away)
        return piece.placed(away, at, turn=90) if wall == 1 else piece.placed(width - away, at, turn=-90)

    def _span(self, piece: Piece, at: float) -> tuple[float, float]:
        half = (piece.bounds[1][0] - piece.bounds[0][0]) / 2
        return at - half - GAP, at + half + GAP

    def _wall_is_free(self, wall: int, span: tuple[float, float]) -> bool:
        return all(span[1] < low or high < span[0] for low, high in self._walls[wall])

    def _is_free(self, mine: Rectangle, distance: float, ignored: Rectangle | None = None) -> bool:
        if mine[0] < 0 or mine[1] < 0 or mine[2] > self.size[0] or mine[3] > self.size[1]:
            return False
        x, y = (max(mine[axis] - self._eye[axis], self._eye[axis] - mine[axis + 2], 0) for axis in (0, 1))
        return math.hypot(x, y) > distance and not any(
            _overlap(mine, other) for other in self._taken if other != ignored
        )


def _rectangle(piece: Piece) -> Rectangle:
    (a, b, _), (c, d, _) = piece.bounds
    return (a, b, c, d)


def _overlap(one: Rectangle, two: Rectangle) -> bool:
    return all(one[axis] < two[axis + 2] + GAP and two[axis] < one[axis + 2] + GAP for axis in (0, 1))


def _deepened(piece: Piece, free: float) -> Piece:
    """Return a piece whose first solid reaches `free` meters into the room."""
    first = piece.solids[0]
    x, _, z = first.center
    deep = replace(first, center=(x, -free / 2, z), half=(first.half[0], free / 2, first.half[2]))
    return Piece(solids=(deep,))
