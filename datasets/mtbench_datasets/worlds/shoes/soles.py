"""Soles and heels, up to the insole."""

import numpy as np

from .sketch import Points, Sketch, along, join, shade

__all__ = ["draw_sole"]

FLAT = 0.035
"""Rise below which a flat sole has no heel that is set off."""


def draw_sole(sketch: Sketch) -> None:
    """Add the sole and the heel of a shoe, which determine the visible height of its heel."""
    kind = sketch.shoe.sole
    if kind in ("sport", "soft"):
        _thick(sketch)
    elif kind == "wedge":
        _wedge(sketch)
    elif kind == "flat" and sketch.shoe.rise < FLAT:
        _level(sketch)
    else:
        _heel(sketch)
        _outsole(sketch)


def _edge(sketch: Sketch) -> Points:
    """Return the upper edge of the sole, from the heel to the toe."""
    return sketch.bottom(-0.005, 1.0, up=0.004)


def _outsole(sketch: Sketch) -> None:
    """Add a sole that follows the insole, with a platform in front if there is one."""
    top = _edge(sketch)
    drop = np.interp(top[:, 0], [0.0, 0.36, 0.5], [1.0, 1.0, 0.0])
    lower = top - np.stack([np.zeros(len(top)), sketch.thickness + sketch.shoe.platform * drop], 1)
    lower[:, 1] = np.maximum(lower[:, 1], 0)
    color = sketch.colors.sole if not sketch.shoe.platform > 0.03 else shade(sketch.colors.main, 0.9)
    sketch.area(join(top, lower[::-1]), color, name="sole", bulge=0.008)
    if sketch.shoe.sole == "lug":
        for x in np.arange(0.02, 0.66, 0.07):
            sketch.line(sketch.under((x, -0.004), (x, 0.022)), 0.022, (255, 255, 255), bulge=0.0, within="sole")


def _heel(sketch: Sketch) -> None:
    """Add the heel between the ground and the seat."""
    rise = sketch.shoe.rise + sketch.shoe.platform
    seat = sketch.at((0.995, 0.0), (0.74, 0.0))
    back, front = seat[0], seat[1]
    if sketch.shoe.sole == "stiletto":
        tip = float(back[0]) - 0.075
        breast = along(np.array([front + np.array((0.02, -0.005)), (tip + 0.015, 0.42 * rise), (tip, 0.0)]))
        rear = along(np.array([(tip + 0.038, 0.0), (tip + 0.052, 0.42 * rise), back + np.array((0.004, -0.012))]))
    else:
        wide = 0.235 if sketch.shoe.sole != "block" else 0.16 + 0.09 * sketch.shoe.style
        inner = float(back[0]) - wide
        breast = np.array([front, (inner - 0.01, float(front[1]) - 0.4 * rise), (inner, 0.0)])
        rear = np.array([(float(back[0]) - 0.012, 0.0), back])
    stacked = sketch.shoe.sole != "stiletto" and sketch.shoe.rise > 0.1
    color = shade(sketch.colors.sole, 0.92) if stacked or sketch.shoe.rise < 0.1 else shade(sketch.colors.main, 0.8)
    sketch.area(join(breast, rear), color, name="heel", bulge=0.016)
    if stacked:
        for y in np.arange(0.03, rise, 0.035):
            sketch.line(np.array([(0.3, y), (1.1, y)]), 0.005, shade(color, 0.75), bulge=0.0, within="heel")


def _wedge(sketch: Sketch) -> None:
    top = _edge(sketch)
    ground = sketch.under((0.03, 0.012), (0.12, 0.0), (0.36, 0.0), (0.6, 0.0), (0.985, 0.0))
    cork = sketch.shoe.style < 0.6
    color = (196, 150, 100) if cork else sketch.colors.sole
    sketch.area(join(top, ground), color, name="sole", bulge=0.02, texture="Wool" if cork else "smooth")
    sketch.line(sketch.under((0.04, 0.006), (1.0, 0.006)), 0.014, shade(sketch.colors.sole, 0.8), within="sole")


def _level(sketch: Sketch) -> None:
    """Add a thin sole without a heel, which is on the ground behind the ball."""
    ground = sketch.under((0.0, 0.012), (0.1, 0.0), (0.5, 0.0), (0.985, 0.0), (1.0, 0.012))
    sketch.area(join(_edge(sketch), ground), sketch.colors.sole, name="sole", bulge=0.008)


def _thick(sketch: Sketch) -> None:
    """Add a sole that is on the ground from the toe to the heel, as of sneakers and slippers."""
    sport = sketch.shoe.sole == "sport"
    top = sketch.bottom(-0.012, 1.012, up=0.012 if sport else 0.006)
    ground = along(
        sketch.under((-0.015, 0.05), (0.02, 0.016), (0.12, 0.0), (0.5, 0.0), (0.9, 0.0), (1.0, 0.012), (1.025, 0.06))
    )
    sketch.area(join(top, ground), sketch.colors.sole, name="sole", bulge=0.012)
    if sport:
        tread = shade(sketch.colors.second, 0.9)
        sketch.line(
            along(sketch.under((-0.02, 0.035), (0.1, 0.008), (0.5, 0.004), (1.03, 0.012))), 0.022, tread, within="sole"
        )
        middle = sketch.bottom(0.0, 1.0, up=-0.022)
        sketch.line(middle, 0.006, shade(sketch.colors.sole, 0.8), bulge=0.0, within="sole")
