"""Furniture made of boxes, cylinders and ellipsoids: beds, sofas, chairs, tables and cabinets.

Each function draws a piece that stands on z = 0 about x = y = 0 and faces -y; its back is at +y. Sizes are in meters.
"""

from collections.abc import Callable, Iterator

from ..camera import Vector
from ..draws import Draws
from .paint import Paint
from .palette import Style, fabric, material, metal, wood
from .solids import Piece, Solid
from .vocabulary import label

__all__ = ["FURNITURE", "Maker", "bed", "box", "cabinet", "chair", "column", "sofa", "table"]

Maker = Callable[[Draws, Style], Piece]


def box(name: str, paint: Paint, low: Vector, high: Vector, *, turn: float = 0.0, glass: bool = False) -> Solid:
    """Return a box of class `name` between two corners."""
    center, half = _middle(low, high)
    return Solid(shape="box", center=center, half=half, paint=paint, label=label(name), turn=turn, glass=glass)


def column(name: str, paint: Paint, at: tuple[float, float], radius: float, low: float, high: float) -> Solid:
    """Return an upright cylinder of class `name`."""
    center, half = (*at, (low + high) / 2), (radius, radius, (high - low) / 2)
    return Solid(shape="cylinder", center=center, half=half, paint=paint, label=label(name))


def bed(draws: Draws, style: Style) -> Piece:
    """Return a bed with its head at the back: frame, mattress, blanket, pillows."""
    a, b = draws.uniform(0.45, 0.9), draws.uniform(0.95, 1.08)
    base, top = draws.uniform(0.2, 0.34), draws.uniform(0.42, 0.6)
    frame, blanket = wood(draws, style), fabric(draws, style)
    sheet = Paint(color=_white(draws))
    solids = [
        box("bed", frame, (-a, -b, 0.08), (a, b, base)),
        box("bed", sheet, (-a + 0.03, -b + 0.03, base), (a - 0.03, b - 0.03, top)),
        box("bed", frame, (-a, b, 0), (a, b + 0.06, draws.uniform(0.7, 1.15))),
        *_legs("bed", frame, a, b, 0.08),
    ]
    if draws.chance(0.85):
        begin = draws.uniform(0.1, 0.6)
        solids.append(box("bed", blanket, (-a - 0.01, -b - 0.01, base - 0.08), (a + 0.01, begin, top + 0.05)))
    count = 1 if a < 0.6 else 2
    cover = fabric(draws, style) if draws.chance(0.4) else sheet
    for number in range(count):
        x = 0.0 if count == 1 else (number - 0.5) * a
        half = (min(0.36, 0.42 * a + 0.1), 0.22, 0.1)
        solids.append(_ellipsoid("bed", cover, (x, b - 0.27, top + 0.06), half))
    return Piece(solids=tuple(solids))


def sofa(draws: Draws, style: Style) -> Piece:
    """Return a sofa or an armchair: base, back, arms, seats and cushions."""
    seats = draws.below(3) + 1
    width, b = seats * draws.uniform(0.54, 0.66), draws.uniform(0.4, 0.48)
    seat, back, arm = draws.uniform(0.36, 0.46), draws.uniform(0.72, 0.95), draws.uniform(0.55, 0.66)
    thick = draws.uniform(0.1, 0.2)
    cloth, a = fabric(draws, style), width / 2
    seat_cloth = fabric(draws, style) if draws.chance(0.3) else cloth
    solids = [
        box("sofa", cloth, (-a, -b, 0.06), (a, b, seat - 0.12)),
        box("sofa", cloth, (-a, b - 0.2, 0.06), (a, b, back)),
        box("sofa", cloth, (-a - thick, -b, 0.03), (-a, b, arm)),
        box("sofa", cloth, (a, -b, 0.03), (a + thick, b, arm)),
    ]
    for number in range(seats):
        low = -a + number * width / seats
        solids.append(
            box("sofa", seat_cloth, (low + 0.01, -b - 0.02, seat - 0.12), (low + width / seats - 0.01, b - 0.2, seat))
        )
    for _ in range(draws.below(3)):
        center = (draws.uniform(-a + 0.2, a - 0.2) if a > 0.3 else 0.0, b - 0.3, seat + 0.17)
        solids.append(_ellipsoid("sofa", fabric(draws, style), center, (0.2, 0.1, 0.18)))
    return Piece(solids=tuple(solids))


def chair(draws: Draws, style: Style) -> Piece:
    """Return a chair with a solid or a slatted back, an office chair, or a stool."""
    a, seat, thick = draws.uniform(0.19, 0.25), draws.uniform(0.42, 0.5), draws.uniform(0.03, 0.09)
    top = seat + draws.uniform(0.38, 0.55)
    frame = metal(draws) if draws.chance(0.25) else wood(draws, style)
    cover = fabric(draws, style) if draws.chance(0.5) else frame
    kind = draws.choose({"panel": 3, "slats": 2.5, "office": 1.5, "stool": 0.8})
    if kind == "stool":
        return Piece(
            solids=(
                column("chair", cover, (0, 0), a, seat - thick, seat),
                *_legs("chair", frame, 0.7 * a, 0.7 * a, seat),
            )
        )
    solids = [box("chair", cover, (-a, -a, seat - thick), (a, a, seat))]
    if kind == "office":
        solids += [column("chair", frame, (0, 0), 0.035, 0.05, seat), column("chair", frame, (0, 0), 0.28, 0, 0.06)]
        solids.append(box("chair", cover, (-a + 0.02, a - 0.06, seat + 0.08), (a - 0.02, a, top + 0.05)))
        if draws.chance(0.6):
            for side in (-a, a):
                solids.append(box("chair", frame, (side - 0.03, -a + 0.08, seat + 0.17), (side + 0.03, a, seat + 0.21)))
        return Piece(solids=tuple(solids))
    solids += _legs("chair", frame, a, a, seat - thick)
    if kind == "panel":
        solids.append(box("chair", cover, (-a, a - 0.05, seat), (a, a, top)))
        return Piece(solids=tuple(solids))
    for x in (-a + 0.02, 0.0, a - 0.02):
        solids.append(box("chair", frame, (x - 0.02, a - 0.04, seat), (x + 0.02, a, top)))
    for z in (top - 0.08, top - 0.25):
        solids.append(box("chair", frame, (-a, a - 0.045, z), (a, a + 0.005, z + 0.07)))
    return Piece(solids=tuple(solids))


def table(draws: Draws, style: Style) -> Piece:
    """Return a dining table, a desk or a coffee table, rectangular or round."""
    low = draws.chance(0.35)
    height, thick = draws.uniform(0.36, 0.5) if low else draws.uniform(0.7, 0.8), draws.uniform(0.03, 0.07)
    top, frame = wood(draws, style), metal(draws) if draws.chance(0.2) else wood(draws, style)
    if draws.chance(0.3):
        radius = draws.uniform(0.35, 0.6)
        solids = [
            column("table", top, (0, 0), radius, height - thick, height),
            column("table", frame, (0, 0), 0.05, 0.02, height - thick),
            column("table", frame, (0, 0), 0.55 * radius, 0, 0.04),
        ]
        return Piece(solids=tuple(solids))
    a, b = draws.uniform(0.45, 0.85), draws.uniform(0.28, 0.45)
    solids = [box("table", top, (-a, -b, height - thick), (a, b, height))]
    if draws.chance(0.25):
        solids += [
            box("table", frame, (s * (a - 0.06) - 0.03, -b, 0), (s * (a - 0.06) + 0.03, b, height)) for s in (-1, 1)
        ]
    else:
        solids += _legs("table", frame, a - 0.02, b - 0.02, height - thick, draws.uniform(0.02, 0.04))
    if draws.chance(0.4):  # an apron under the top
        solids.append(box("table", frame, (-a + 0.06, -b + 0.05, height - 0.15), (a - 0.06, b - 0.05, height - thick)))
    return Piece(solids=tuple(solids))


def cabinet(draws: Draws, style: Style) -> Piece:
    """Return open shelves with things on them, a wardrobe, a sideboard or a chest of drawers."""
    paint, kind = wood(draws, style), draws.choose({"shelves": 3, "tall": 1.6, "low": 2})
    a, b = draws.uniform(0.3, 0.65), draws.uniform(0.15, 0.25)
    if kind == "shelves":
        return Piece(solids=tuple(_shelves(draws, paint, a, b, draws.uniform(0.9, 2.1))))
    b = draws.uniform(0.2, 0.32)
    height = draws.uniform(1.6, 2.15) if kind == "tall" else draws.uniform(0.5, 1.1)
    a = a if kind == "tall" else draws.uniform(0.3, 0.8)
    solids = [box("cabinet", paint, (-a, -b + 0.02, 0.05), (a, b, height))]
    solids.append(box("cabinet", paint, (-a + 0.03, -b + 0.06, 0), (a - 0.03, b, 0.05)))
    columns, rows = draws.below(2) + 1, 1 if kind == "tall" else draws.below(3) + 1
    front, handle = wood(draws, style) if draws.chance(0.2) else paint, metal(draws)
    for i in range(columns):
        for k in range(rows):
            left, right = (-a + (i + e) * 2 * a / columns for e in (0, 1))
            bottom, top = (0.05 + (k + e) * (height - 0.05) / rows for e in (0, 1))
            solids.append(
                box("cabinet", front, (left + 0.015, -b, bottom + 0.015), (right - 0.015, -b + 0.02, top - 0.015))
            )
            x, z = (left + right) / 2, (bottom + top) / 2
            solids.append(box("cabinet", handle, (x - 0.05, -b - 0.025, z - 0.012), (x + 0.05, -b, z + 0.012)))
    return Piece(solids=tuple(solids))


FURNITURE: dict[str, Maker] = {"bed": bed, "sofa": sofa, "chair": chair, "table": table, "cabinet": cabinet}
"""The makers of furniture, by class."""


def _shelves(draws: Draws, paint: Paint, a: float, b: float, height: float) -> Iterator[Solid]:
    for side in (-1, 1):
        yield box("cabinet", paint, (side * a - 0.015, -b, 0), (side * a + 0.015, b, height))
    yield box("cabinet", paint, (-a, b - 0.02, 0), (a, b, height))
    boards = max(2, round(height / draws.uniform(0.3, 0.42)))
    for number in range(boards + 1):
        z = 0.06 + number * (height - 0.08) / boards
        yield box("cabinet", paint, (-a, -b, z - 0.02), (a, b, z))
        if number == boards or draws.chance(0.2):
            continue
        free = (height - 0.08) / boards - 0.04
        if draws.chance(0.7):
            length, tall = draws.uniform(0.6, 2 * a - 0.06), free * draws.uniform(0.6, 0.92)
            spines = material(draws)
            books = Paint(
                color=spines.color, other=material(draws).color, pattern="spines", scale=draws.uniform(0.03, 0.06)
            )
            start = draws.uniform(-a + 0.02, a - 0.04 - length) if length < 2 * a - 0.06 else -a + 0.02
            yield box("object", books, (start, -b + 0.06, z), (min(start + length, a - 0.02), b - 0.03, z + tall))
        else:
            radius = min(0.09, free / 2 - 0.01)
            yield _ellipsoid(
                "object", material(draws), (draws.uniform(-a + 0.15, a - 0.15), 0, z + radius), (radius,) * 3
            )


def _legs(name: str, paint: Paint, a: float, b: float, top: float, half: float = 0.022) -> list[Solid]:
    return [
        box(name, paint, (x - half, y - half, 0), (x + half, y + half, top))
        for x in (-a + half, a - half)
        for y in (-b + half, b - half)
    ]


def _ellipsoid(name: str, paint: Paint, center: Vector, half: Vector) -> Solid:
    return Solid(shape="ellipsoid", center=center, half=half, paint=paint, label=label(name))


def _white(draws: Draws) -> Vector:
    value = draws.uniform(0.6, 0.95)
    return (value, value, 0.96 * value)


def _middle(low: Vector, high: Vector) -> tuple[Vector, Vector]:
    pairs = list(zip(low, high, strict=True))
    x, y, z = ((a + b) / 2 for a, b in pairs)
    a, b, c = ((b - a) / 2 for a, b in pairs)
    return (x, y, z), (a, b, c)
