"""Visible closures: laces, buckles, zippers, straps, gores and pull loops."""

import numpy as np

from .models import Color
from .sketch import Points, Sketch, along, between, join, shade

__all__ = [
    "ankle_strap",
    "buckle",
    "gore",
    "hook_and_loop",
    "laces",
    "pull_loops",
    "ribbon",
    "sling_back",
    "zipper",
]


def ribbon(
    sketch: Sketch, line: Points, width: float, color: Color, *, within: str = "", stitched: bool = False
) -> None:
    """Add a strap along a line."""
    sketch.line(line, width, color, bulge=0.012, within=within, texture=_leathery(sketch))
    if stitched:
        sketch.line(line, width * 0.62, shade(color, 0.72), bulge=0.0, within=within)
        sketch.line(line, width * 0.46, color, bulge=0.0, within=within)


def buckle(sketch: Sketch, line: Points, width: float, color: Color, *, at: float = 0.45, within: str = "") -> None:
    """Add a strap along a line, with a frame of metal and a pin at a fraction of it, and its free end with holes."""
    sketch.line(line, width, color, name="strap", bulge=0.012, within=within, texture=_leathery(sketch))
    index = min(max(1, round(at * (len(line) - 1))), len(line) - 2)
    middle, way = line[index], line[index + 1] - line[index - 1]
    way = way / np.sqrt((way**2).sum())
    across = np.array([-way[1], way[0]])
    long, wide = 0.75 * width + 0.012, 0.72 * width + 0.012
    corners = [middle + a * long * way + b * wide * across for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]
    dark = shade(color, 0.5)
    sketch.line(np.array(corners), 0.034, dark, bulge=0.0)
    sketch.line(np.array(corners), 0.022, sketch.colors.metal, bulge=0.008)
    sketch.line(np.array([middle - 0.9 * long * way, middle + long * way]), 0.014, sketch.colors.metal, bulge=0.006)
    for step in (2.3, 3.1):
        hole = middle + step * long * way
        sketch.line(np.array([hole, hole + 0.001]), 0.014, dark, bulge=0.0, within="strap")


def laces(sketch: Sketch, front: Points, count: int, *, length: float = 0.13, tongue: bool = True) -> None:
    """Add laces across the front of a shoe, with a bow at the upper end.

    Args:
        front: the line from the lowest eyelets to the uppermost.
        count: number of crossings.
        length: length of a lace, from the front to the eyelet.
    """
    color = sketch.colors.lace
    ways = np.gradient(front, axis=0)
    ways = ways / np.sqrt((ways**2).sum(1))[:, None]
    inward = np.stack([ways[:, 1], -ways[:, 0]], 1)
    panel = join(
        front + 0.03 * ways[-1] * np.linspace(0, 1, len(front))[:, None], (front + 1.25 * length * inward)[::-1]
    )
    if tongue:
        end, way = front[-1], ways[-1]
        tip = np.array(
            [end - 0.02 * inward[-1], end + 0.09 * way - 0.03 * inward[-1], end + 0.10 * way + 0.03 * inward[-1]]
        )
        sketch.area(
            join(tip, end[None] + 0.09 * inward[-1], between(front, 0.6, 1.0)[::-1]), shade(sketch.colors.second, 0.95)
        )
    sketch.area(panel, shade(sketch.colors.main, 0.8), bulge=0.012, within="upper", texture=sketch.shoe.material)
    for index, place in enumerate(np.linspace(0.04, 0.93, count)):
        row = round(place * (len(front) - 1))
        start, eyelet = front[row] - 0.012 * inward[row], front[row] + length * inward[row]
        slant = 0.05 * ways[row]
        for a, b in ((start + slant, eyelet), (start, eyelet + slant)) if index < count - 1 else ((start, eyelet),):
            sketch.line(np.array([a, b]), 0.026, shade(color, 0.55), bulge=0.0)
            sketch.line(np.array([a, b]), 0.019, color, bulge=0.006)
        sketch.line(np.array([eyelet, eyelet + 0.001]), 0.03, sketch.colors.metal, bulge=0.006)
    knot, way, side = front[-1] - 0.005 * inward[-1], ways[-1], inward[-1]
    for reach, lift in ((-0.10, 0.05), (0.13, 0.045)):
        loop = np.array([knot, knot + reach * side + lift * way, knot + 1.15 * reach * side - 0.01 * way, knot])
        sketch.line(along(loop), 0.024, shade(color, 0.6), bulge=0.0)
        sketch.line(along(loop), 0.017, color, bulge=0.006)
    for reach in (-0.05, 0.10):
        end = along(np.array([knot, knot + reach * side - 0.05 * way, knot + 1.2 * reach * side - 0.13 * way]))
        sketch.line(end, 0.017, color, bulge=0.006)


def hook_and_loop(sketch: Sketch, front: Points, count: int, *, length: float = 0.26, width: float = 0.085) -> None:
    """Add wide straps with square stitched tabs across the front of a shoe."""
    color = sketch.colors.second
    ways = np.gradient(front, axis=0)
    ways = ways / np.sqrt((ways**2).sum(1))[:, None]
    for place in np.linspace(0.3 if count > 1 else 0.6, 0.88, count) if count > 1 else (0.62,):
        row = round(float(place) * (len(front) - 1))
        way = ways[row]
        side = np.array([way[1], -way[0]])
        corners = [(-0.015, -0.5), (length, -0.5), (length + 0.02, 0.0), (length, 0.5), (-0.015, 0.5)]
        tab = np.array([front[row] + a * side + b * width * way for a, b in corners])
        inner = np.array(
            [
                front[row] + a * side + b * width * way
                for a, b in (
                    (0.5 * length, -0.34),
                    (length - 0.015, -0.34),
                    (length - 0.015, 0.34),
                    (0.5 * length, 0.34),
                    (0.5 * length, -0.34),
                )
            ]
        )
        sketch.area(tab + np.array([0.004, -0.012]), shade(color, 0.45), bulge=0.0)
        sketch.area(tab, color, bulge=0.014, texture=_leathery(sketch))
        sketch.line(inner, 0.008, shade(color, 0.55 if sum(color) > 300 else 2.2), bulge=0.0)


def zipper(sketch: Sketch, line: Points, within: str = "upper") -> None:
    """Add a zipper along a line, its slider at the end of it."""
    tape, metal = shade(sketch.colors.main, 0.42 if sum(sketch.colors.main) > 240 else 1.9), sketch.colors.metal
    sketch.line(line, 0.06, tape, bulge=0.0, within=within)
    sketch.line(line, 0.022, shade(metal, 0.5), bulge=0.0, within=within)
    lengths = np.concatenate([[0], np.sqrt((np.diff(line, axis=0) ** 2).sum(1)).cumsum()])
    for place in np.arange(0.01, lengths[-1], 0.03):
        tooth = np.array([np.interp(place, lengths, line[:, axis]) for axis in range(2)])
        wide = np.array((0.012, 0.0))
        sketch.line(np.stack([tooth - wide, tooth + wide]), 0.014, metal, bulge=0.0, within=within)
    end = line[-1]
    sketch.line(np.stack([end, end - (0, 0.09)]), 0.034, shade(metal, 0.7), bulge=0.006)
    sketch.line(np.stack([end, end - (0, 0.085)]), 0.022, metal, bulge=0.006)


def gore(sketch: Sketch, outline: Points) -> None:
    """Add a panel of elastic with ribs."""
    color = (64, 64, 68) if sum(sketch.colors.main) > 200 else (128, 126, 124)
    sketch.area(outline, shade(color, 0.5), bulge=0.0, within="upper")
    middle = outline.mean(0)
    sketch.area(middle + 0.9 * (outline - middle), color, name="gore", bulge=0.0, within="upper")
    low, high = outline.min(0), outline.max(0)
    for x in np.arange(low[0], high[0], 0.024):
        sketch.line(np.array([(x, low[1]), (x, high[1])]), 0.008, shade(color, 0.6), bulge=0.0, within="gore")


def pull_loops(sketch: Sketch, *places: Points) -> None:
    """Add loops that a boot is pulled on by, above places (2,) of its rim."""
    for place in places:
        loop = place + np.array([(-0.035, -0.10), (-0.04, 0.02), (0.0, 0.075), (0.04, 0.02), (0.035, -0.10)])
        sketch.line(along(loop), 0.034, shade(sketch.colors.second, 0.6), bulge=0.0)
        sketch.line(along(loop), 0.026, sketch.colors.second, bulge=0.008)


def ankle_strap(sketch: Sketch, *, behind: bool) -> None:
    """Add a strap about the ankle; its far half, or its near half with the stay that holds it."""
    width = 0.034
    base = float(sketch.at((0.97, 0.27))[0, 1])
    back, front = float(sketch.at((0.985, 0.0))[0, 0]), float(sketch.at((0.56, 0.0))[0, 0])
    lift = 0.10 * sketch.shoe.plump
    color = shade(sketch.colors.main, 0.75 if behind else 1.0)
    if behind:
        far = np.array([(front, base + lift), (0.5 * (back + front), base + lift + 0.055), (back, base + lift - 0.04)])
        ribbon(sketch, along(far), width, color)
        return
    near = np.array([(front, base + lift), (0.6 * back + 0.4 * front, base + lift - 0.06), (back, base + lift - 0.045)])
    heel = sketch.at((0.99, 0.14))[0]
    ribbon(sketch, np.stack([heel, near[-1]]), width * 1.3, color)
    ribbon(sketch, along(near), width, color)
    pin = near[1] + np.array([0.0, 0.0])
    sketch.line(np.stack([pin, pin + 0.001]), 0.042, sketch.colors.metal, bulge=0.008)


def sling_back(sketch: Sketch, start: tuple[float, float], *, behind: bool) -> None:
    """Add a strap round the back of the heel, from a place of the upper; its far half, or its near half."""
    lift = 0.02 if behind else 0.0
    places = (start[0], start[1] + lift), (0.84, 0.135 + 1.2 * lift), (1.0, 0.215)
    color = shade(sketch.colors.main, 0.72 if behind else 1.0)
    ribbon(sketch, along(sketch.at(*places)), 0.034, color)
    if not behind:
        pin = sketch.at((0.8, 0.118))[0]
        sketch.line(np.stack([pin, pin + 0.001]), 0.04, sketch.colors.metal, bulge=0.008)


def _leathery(sketch: Sketch) -> str:
    return sketch.shoe.material if sketch.shoe.material in ("Suede", "Patent", "Leather") else "smooth"
