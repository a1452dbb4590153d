"""Things on walls and ceilings, and small ones: windows, doors, pictures, lamps, objects.

A fitting on a wall has its back at y = 0, its middle at x = 0, and faces -y; z counts from the floor.
"""

from dataclasses import replace

from ..draws import Draws
from .furniture import box, column
from .paint import Paint, mixed
from .palette import Style, canvas, fabric, material, metal, outdoors, shade, wood
from .solids import Piece, Solid
from .vocabulary import label

__all__ = ["door", "floor_lamp", "hanging_lamp", "picture", "small_object", "table_lamp", "window"]


def window(draws: Draws, style: Style, height: float, *, day: bool) -> Piece:
    """Return a window with bars, sometimes with curtains, in a wall of a height in meters."""
    a = draws.uniform(0.4, 0.95)
    low = draws.uniform(0.7, 1.0)
    high = min(height - 0.2, low + draws.uniform(0.9, 1.35))
    paint = wood(draws, style) if draws.chance(0.3) else Paint(color=(0.75, 0.75, 0.72))
    bar, thick = draws.uniform(0.025, 0.05), 0.05
    solids = [box("window", outdoors(draws, day=day), (-a, -0.015, low), (a, 0, high), glass=True)]
    across = [-a, a] + [-a + 2 * a * (k + 1) / parts for parts in (draws.below(3) + 1,) for k in range(parts - 1)]
    solids += [box("window", paint, (x - bar, -thick, low - bar), (x + bar, 0, high + bar)) for x in across]
    levels = [low, high, *([low + 0.7 * (high - low)] if draws.chance(0.35) else [])]
    solids += [box("window", paint, (-a, -thick, z - bar), (a, 0, z + bar)) for z in levels]
    if draws.chance(0.6):
        solids.append(box("window", paint, (-a - 0.08, -0.14, low - 0.06), (a + 0.08, 0, low - 0.02)))
    if draws.chance(0.45):
        cloth = fabric(draws, style)
        folds = replace(cloth, other=mixed(cloth.color, (0.0, 0.0, 0.0), 0.5), pattern="folds", scale=0.12)
        width, foot = draws.uniform(0.2, 0.4), 0.05 if draws.chance(0.5) else low - 0.15
        for side in (-1, 1):
            x = side * (a + 0.05)
            solids.append(box("window", folds, (x - width / 2, -0.12, foot), (x + width / 2, -0.06, high + 0.12)))
    return _flat(solids)


def door(draws: Draws, style: Style, height: float) -> Piece:
    """Return a door with a frame and a knob."""
    a, high, bar = draws.uniform(0.36, 0.48), min(height - 0.1, draws.uniform(1.95, 2.1)), 0.05
    paint, frame = wood(draws, style), wood(draws, style)
    if draws.chance(0.6):
        darker = mixed(paint.color, (0.0, 0.0, 0.0), 0.5)
        paint = replace(paint, pattern="panels", other=darker, scale=2 * a, shift=(0.0, 0.0, 0.8 * a))
    solids = [box("door", paint, (-a, -0.025, 0), (a, 0, high))]
    solids += [box("door", frame, (s * (a + bar) - bar, -0.045, 0), (s * (a + bar) + bar, 0, high)) for s in (-1, 1)]
    solids.append(box("door", frame, (-a - 2 * bar, -0.045, high), (a + 2 * bar, 0, high + 2 * bar)))
    x = (a - 0.08) * (1 if draws.chance(0.5) else -1)
    solids.append(
        Solid(
            shape="ellipsoid",
            center=(x, -0.06, 1.02),
            half=(0.035, 0.035, 0.035),
            paint=metal(draws),
            label=label("door"),
        )
    )
    return _flat(solids)


def picture(draws: Draws, style: Style, height: float) -> Piece:
    """Return a picture in a frame, at the height of the eyes."""
    a, c = draws.uniform(0.15, 0.55), draws.uniform(0.15, 0.42)
    z = min(draws.uniform(1.35, 1.75), height - c - 0.15)
    bar = draws.uniform(0.015, 0.05)
    frame = metal(draws) if draws.chance(0.3) else wood(draws, style)
    solids = [box("picture", frame, (-a - bar, -0.02, z - c - bar), (a + bar, 0, z + c + bar))]
    inner = 0.0
    if draws.chance(0.4):  # a mount of white paper
        inner = draws.uniform(0.15, 0.3)
        solids.append(box("picture", Paint(color=(0.8, 0.8, 0.77)), (-a, -0.025, z - c), (a, 0, z + c)))
    a, c = (1 - inner) * a, (1 - inner) * c
    solids.append(box("picture", canvas(draws), (-a, -0.03, z - c), (a, 0, z + c)))
    return _flat(solids)


def floor_lamp(draws: Draws, *, lit: bool) -> Piece:
    """Return a lamp on a pole."""
    pole, top = metal(draws), draws.uniform(1.3, 1.8)
    solids = [
        column("lamp", pole, (0, 0), draws.uniform(0.1, 0.16), 0, 0.03),
        column("lamp", pole, (0, 0), 0.018, 0, top),
    ]
    return Piece(solids=(*solids, _shade(draws, top, draws.uniform(0.13, 0.23), lit=lit)))


def table_lamp(draws: Draws, *, lit: bool) -> Piece:
    """Return a lamp with a thick foot."""
    height = draws.uniform(0.22, 0.38)
    half = (draws.uniform(0.04, 0.08), draws.uniform(0.04, 0.08), height / 2)
    foot = Solid(shape="ellipsoid", center=(0, 0, height / 2), half=half, paint=material(draws), label=label("lamp"))
    return Piece(solids=(foot, _shade(draws, height + 0.05, draws.uniform(0.1, 0.17), lit=lit)))


def hanging_lamp(draws: Draws, height: float, *, lit: bool) -> Piece:
    """Return a lamp that hangs from a ceiling at a height in meters, or is flat on it."""
    if draws.chance(0.3):
        radius = draws.uniform(0.15, 0.25)
        flat = column("lamp", shade(draws, lit=lit), (0, 0), radius, height - 0.09, height - 0.001)
        return Piece(solids=(replace(flat, casts=False),))
    middle = height - draws.uniform(0.35, 0.7)
    cord = column("lamp", metal(draws), (0, 0), 0.01, middle, height - 0.001)
    return Piece(solids=(replace(cord, casts=False), _shade(draws, middle, draws.uniform(0.14, 0.26), lit=lit)))


def small_object(draws: Draws, *, large: bool) -> Piece:
    """Return a vase, a ball, a pile of books, a cup, a plant or a box; `large` for those that stand on the floor."""
    factor, kind = draws.uniform(1.6, 2.6) if large else 1.0, draws.below(5)
    size = factor * draws.uniform(0.05, 0.12)
    paint, thing = material(draws), label("object")
    if kind == 0:
        ball = Solid(shape="ellipsoid", center=(0, 0, size), half=(size, size, size), paint=paint, label=thing)
        return Piece(solids=(ball,))
    if kind == 1:
        vase = Solid(
            shape="ellipsoid", center=(0, 0, size), half=(0.7 * size, 0.7 * size, size), paint=paint, label=thing
        )
        return Piece(solids=(vase, column("object", paint, (0, 0), 0.3 * size, size, 2.3 * size)))
    if kind == 2:
        piles, top = [], 0.0
        for _ in range(draws.below(3) + 1):
            a, b, c = size * draws.uniform(0.9, 1.3), size * draws.uniform(0.6, 1), size * draws.uniform(0.25, 0.9)
            turn = draws.uniform(-20, 20)
            piles.append(box("object", material(draws), (-a, -b, top), (a, b, top + c), turn=turn))
            top += c
        return Piece(solids=tuple(piles))
    if kind == 3:
        return Piece(solids=(column("object", paint, (0, 0), 0.6 * size, 0, draws.uniform(0.8, 2) * size),))
    leaves = Paint(color=(0.03, draws.uniform(0.1, 0.3), 0.03), other=(0.01, 0.05, 0.01), pattern="checks", scale=0.05)
    crown = (1.1 * size, 1.1 * size, 1.3 * size)
    plant = Solid(shape="ellipsoid", center=(0, 0, 2.4 * size), half=crown, paint=leaves, label=thing)
    return Piece(solids=(column("object", paint, (0, 0), 0.7 * size, 0, 1.2 * size), plant))


def _shade(draws: Draws, middle: float, radius: float, *, lit: bool) -> Solid:
    """Return the shade of a lamp; it casts no shadow, since the light is inside it."""
    round_ = draws.chance(0.43)
    half = (radius, radius, radius * draws.uniform(0.55, 1))
    return Solid(
        shape="ellipsoid" if round_ else "cylinder",
        center=(0, 0, middle),
        half=half,
        paint=shade(draws, lit=lit),
        label=label("lamp"),
        casts=False,
    )


def _flat(solids: list[Solid]) -> Piece:
    """Return a piece so close to a wall that its shadows are not worth their time."""
    return Piece(solids=tuple(replace(solid, casts=False) for solid in solids))
