"""Shoes and slippers that end below the ankle."""

from collections.abc import Sequence

import numpy as np

from .details import BACK, INSTEP, TOES, bow, decorate, fluff
from .fastenings import ankle_strap, buckle, gore, hook_and_loop, laces, sling_back
from .sketch import Points, Sketch, along, between, join, shade

__all__ = ["draw_low"]

_WELT = 0.006


def draw_low(sketch: Sketch) -> None:
    """Add the upper of a low shoe, open or closed at the heel, and its closure."""
    shoe = sketch.shoe
    plan = {
        "Oxfords": _laced,
        "Sneakers and Athletic Shoes": _sneaker,
        "Loafers": _loafer,
        "Boat Shoes": _boat_shoe,
        "Clogs and Mules": _mule,
        "Slipper Flats": _slipper,
        "Slipper Heels": _mule,
    }
    plan.get(shoe.kind.subcategory, _court)(sketch)


def _upper(
    sketch: Sketch, throat: float, collar: Sequence[tuple[float, float]], *, opened: float = 0.05, back: bool = True
) -> tuple[Points, Points]:
    """Add an upper, and the visible part of its inside; return its line over toe and instep, and its rim.

    Args:
        throat: x at which the opening begins.
        collar: the rim after that, to the heel, as x and height above the insole.
        opened: height to which the far side of the rim is seen above the near one.
        back: True if it covers the heel.
    """
    shoe = sketch.shoe
    over = [place for place in (*TOES[shoe.toe], *INSTEP) if place[0] < throat - 0.02]
    profile = np.array([*TOES[shoe.toe], *INSTEP])
    up = float(np.interp(throat, profile[1:, 0], profile[1:, 1]))
    front = along(sketch.at(*over, (throat, up)))
    rim = along(sketch.at((throat, up), *collar))
    rise = np.sin(np.linspace(0, np.pi, len(rim))) * opened * shoe.plump
    far = rim + np.stack([-0.1 * rise, rise], 1)
    sketch.area(join(rim, far[::-1]), shade(sketch.colors.lining, 0.72), name="inside", bulge=0.0)
    sketch.line(far, 0.016, shade(sketch.colors.main, 0.8), bulge=0.004)
    end = along(sketch.at((collar[-1][0], collar[-1][1]), *BACK[1:])) if back else rim[-1:]
    outline = join(front, rim, end, sketch.bottom(TOES[shoe.toe][0][0], 0.99 if back else collar[-1][0] - 0.01))
    sketch.area(outline, sketch.colors.main, name="upper", bulge=0.055, texture=shoe.material)
    return front, rim


def _bed(sketch: Sketch) -> None:
    """Add the visible part of the insole, for shoes that are open at the heel."""
    near, far = sketch.bottom(0.3, 0.99, 0.004), sketch.bottom(0.32, 0.97, 0.045)
    sketch.area(join(near, far[::-1]), shade(sketch.colors.lining, 0.95), name="bed", bulge=0.01)


def _laced(sketch: Sketch) -> None:
    shoe = sketch.shoe
    front, _ = _upper(sketch, 0.55, ((0.66, 0.225), (0.78, 0.195), (0.92, 0.235), (1.0, 0.262)))
    _counter(sketch)
    if shoe.toe == "Capped Toe" or shoe.style < 0.35:
        sketch.seam(along(sketch.at((0.2, -0.01), (0.165, 0.07), (0.17, 0.16))))
        sketch.seam(along(sketch.at((0.212, -0.01), (0.177, 0.07), (0.182, 0.16))))
    if shoe.kind.closure == "Buckle":
        sketch.seam(along(sketch.at((0.5, 0.3), (0.42, 0.16), (0.36, 0.0))))
        line = along(sketch.at((0.44, 0.262), (0.53, 0.2), (0.64, 0.135), (0.7, 0.10)))
        buckle(sketch, line, 0.075, shade(sketch.colors.main, 0.85), at=0.5)
    else:
        laces(sketch, between(front, 0.62, 1.0), 4)
    _welt(sketch)


def _sneaker(sketch: Sketch) -> None:
    shoe = sketch.shoe
    high = shoe.style > 0.82 and shoe.kind.closure != "Slip-On"
    lift = 0.16 if high else 0.0
    throat = 0.58 if high else 0.56
    front, rim = _upper(
        sketch,
        throat,
        ((0.66, 0.285 + 1.2 * lift), (0.78, 0.225 + lift), (0.9, 0.255 + lift), (1.0, 0.30 + 1.1 * lift)),
        opened=0.06,
    )
    second = sketch.colors.second
    if shoe.style < 0.6:
        sketch.area(
            along(sketch.at((-0.02, -0.01), (0.0, 0.08), (0.09, 0.10), (0.2, 0.03), (0.26, -0.01))),
            second,
            within="upper",
        )
    else:
        sketch.area(
            sketch.at((-0.03, -0.01), (-0.03, 0.1), (0.09, 0.1), (0.13, -0.01)), sketch.colors.sole, within="upper"
        )
    sketch.area(
        along(sketch.at((1.03, 0.2), (0.88, 0.19), (0.84, 0.08), (0.8, -0.01), (1.03, -0.01))), second, within="upper"
    )
    if shoe.style < 0.3:
        for x in (0.44, 0.53, 0.62):
            sketch.line(sketch.at((x - 0.06, 0.02), (x + 0.05, 0.2)), 0.04, second, within="upper")
    elif shoe.style < 0.6:
        sketch.line(
            along(sketch.at((0.4, 0.06), (0.52, 0.045), (0.7, 0.1), (0.86, 0.19))), 0.05, second, within="upper"
        )
    elif shoe.style > 0.8:
        sketch.line(along(sketch.at((0.46, 0.2), (0.5, 0.07), (0.62, 0.07), (0.7, 0.2))), 0.04, second, within="upper")
    sketch.line(rim, 0.05, shade(sketch.colors.main, 0.72), bulge=0.015, within="upper")
    line = between(front, 0.60, 1.0)
    if shoe.kind.closure == "Lace up":
        laces(sketch, line, 5 if not high else 6)
    elif shoe.kind.closure == "Hook and Loop":
        hook_and_loop(sketch, line, 2 if shoe.style < 0.7 else 3)
    decorate(sketch, 0.72, 0.10)


def _loafer(sketch: Sketch) -> None:
    shoe = sketch.shoe
    _upper(sketch, 0.44, ((0.56, 0.165), (0.74, 0.14), (0.9, 0.19), (1.0, 0.232)), opened=0.075)
    _apron(sketch)
    _counter(sketch)
    if shoe.kind.closure == "Buckle":
        buckle(
            sketch,
            along(sketch.at((0.36, 0.213), (0.42, 0.15), (0.5, 0.08), (0.56, 0.02))),
            0.07,
            shade(sketch.colors.main, 0.8),
            at=0.45,
        )
    elif shoe.kind.closure == "Elastic Gore":
        gore(sketch, sketch.at((0.44, 0.24), (0.56, 0.165), (0.60, 0.05), (0.5, 0.07)))
    elif shoe.style < 0.6:
        strap = along(sketch.at((0.33, 0.2), (0.39, 0.14), (0.48, 0.06), (0.52, 0.01)))
        sketch.line(strap, 0.085, shade(sketch.colors.main, 0.82), within="upper", texture=shoe.material)
    _welt(sketch)
    decorate(sketch, 0.72, 0.08)


def _boat_shoe(sketch: Sketch) -> None:
    front, rim = _upper(sketch, 0.47, ((0.58, 0.2), (0.74, 0.165), (0.9, 0.205), (1.0, 0.24)), opened=0.06)
    _apron(sketch)
    _counter(sketch)
    sketch.line(rim[4:] - np.array([0.0, 0.035]), 0.012, sketch.colors.lace, bulge=0.004, within="upper")
    if sketch.shoe.kind.closure == "Lace up":
        laces(sketch, between(front, 0.7, 1.0), 2, length=0.09)


def _court(sketch: Sketch) -> None:
    """Flats and heels: an upper that leaves the instep free."""
    shoe = sketch.shoe
    closure = shoe.kind.closure
    if closure == "Lace up":
        front, _ = _upper(sketch, 0.52, ((0.64, 0.2), (0.78, 0.165), (0.92, 0.205), (1.0, 0.235)))
        laces(sketch, between(front, 0.6, 1.0), 4)
        return
    if closure == "Ankle Strap":
        ankle_strap(sketch, behind=True)
    if closure == "Sling Back":
        _bed(sketch)
        sling_back(sketch, (0.56, 0.06), behind=True)
        _upper(
            sketch, 0.22, ((0.3, 0.1), (0.42, 0.085), (0.53, 0.075), (0.58, 0.04), (0.6, 0.0)), opened=0.035, back=False
        )
        sling_back(sketch, (0.54, 0.065), behind=False)
    else:
        _, rim = _upper(
            sketch, 0.21, ((0.29, 0.115), (0.45, 0.075), (0.65, 0.082), (0.85, 0.155), (0.99, 0.232)), opened=0.05
        )
        sketch.line(rim, 0.014, shade(sketch.colors.main, 0.8), bulge=0.004, within="upper")
    if shoe.toe == "Peep Toe":
        sketch.area(
            along(sketch.at((-0.04, 0.012), (-0.02, 0.05), (0.04, 0.055), (0.05, 0.015), (-0.04, 0.012))),
            shade(sketch.colors.lining, 0.6),
            within="upper",
        )
    if closure == "Ankle Strap":
        ankle_strap(sketch, behind=False)
    elif closure == "Buckle":
        line = along(sketch.at((0.42, 0.27), (0.475, 0.245), (0.55, 0.18), (0.6, 0.09), (0.62, 0.04)))
        buckle(sketch, line, 0.06, shade(sketch.colors.main, 0.9), at=0.52)
    elif closure == "Hook and Loop":
        line = sketch.at((0.38, 0.225), (0.44, 0.27), (0.5, 0.3))
        hook_and_loop(sketch, along(line), 1, length=0.24, width=0.10)
    elif closure == "Slip-On" and shoe.toe != "Peep Toe" and shoe.style < 0.5:
        bow(sketch, sketch.at((0.2, 0.15))[0])
    decorate(sketch, 0.74, 0.07)


def _mule(sketch: Sketch) -> None:
    """Draw an upper that covers the toes and leaves the heel free."""
    shoe = sketch.shoe
    _bed(sketch)
    closure = shoe.kind.closure
    if closure == "Sling Back":
        sling_back(sketch, (0.6, 0.08), behind=True)
    slipper = shoe.kind.category == "Slippers"
    throat = 0.34 if slipper or shoe.rise > 0.3 else 0.45
    _, rim = _upper(
        sketch, throat, ((throat + 0.07, 0.15), (throat + 0.12, 0.07), (throat + 0.15, 0.0)), opened=0.05, back=False
    )
    if slipper:
        fluff(sketch, rim, 0.13)
    elif closure == "Buckle":
        line = along(
            sketch.at((throat - 0.1, 0.19), (throat - 0.03, 0.14), (throat + 0.05, 0.07), (throat + 0.1, 0.02))
        )
        buckle(sketch, line, 0.07, shade(sketch.colors.main, 0.8), at=0.45)
    elif shoe.style < 0.5:
        _apron(sketch)
    if closure == "Sling Back":
        sling_back(sketch, (0.56, 0.08), behind=False)
    decorate(sketch, 0.24, 0.05)


def _slipper(sketch: Sketch) -> None:
    shoe = sketch.shoe
    if shoe.style < 0.45:
        _bed(sketch)
        front, rim = _upper(sketch, 0.46, ((0.54, 0.17), (0.6, 0.07), (0.63, 0.0)), opened=0.07, back=False)
    else:
        front, rim = _upper(sketch, 0.44, ((0.56, 0.165), (0.74, 0.135), (0.9, 0.18), (1.0, 0.225)), opened=0.08)
        _apron(sketch)
    if shoe.kind.closure == "Hook and Loop":
        hook_and_loop(sketch, between(front, 0.5, 1.0), 1, length=0.22, width=0.12)
    fluff(sketch, rim, 0.085)
    decorate(sketch, 0.3, 0.06)


def _apron(sketch: Sketch) -> None:
    """Add the raised seam about the toe of a moccasin."""
    line = along(sketch.at((-0.02, 0.09), (0.04, 0.098), (0.16, 0.1), (0.3, 0.125), (0.4, 0.165), (0.46, 0.22)))
    sketch.line(line, 0.024, shade(sketch.colors.main, 0.8), bulge=0.012, within="upper")
    sketch.line(line, 0.007, shade(sketch.colors.main, 0.5), bulge=0.0, within="upper")


def _counter(sketch: Sketch) -> None:
    sketch.seam(along(sketch.at((0.88, 0.24), (0.84, 0.12), (0.76, 0.05), (0.74, -0.01))))


def _welt(sketch: Sketch) -> None:
    sketch.line(sketch.bottom(0.0, 0.99, up=_WELT), 0.014, shade(sketch.colors.sole, 1.25), bulge=0.006)
