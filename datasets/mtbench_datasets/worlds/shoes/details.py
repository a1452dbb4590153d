"""Outlines of feet for several kinds of shoes, and decorations."""

import numpy as np

from .sketch import Points, Sketch, shade

__all__ = ["BACK", "INSTEP", "TOES", "bow", "decorate", "fluff"]

TOES = {
    "Round Toe": ((-0.004, 0.0), (-0.016, 0.04), (0.008, 0.085), (0.06, 0.115), (0.14, 0.137), (0.22, 0.155)),
    "Capped Toe": ((-0.004, 0.0), (-0.016, 0.04), (0.008, 0.085), (0.06, 0.115), (0.14, 0.137), (0.22, 0.155)),
    "Almond": ((-0.04, 0.004), (-0.042, 0.026), (-0.005, 0.062), (0.06, 0.096), (0.14, 0.125), (0.22, 0.15)),
    "Pointed Toe": ((-0.13, 0.006), (-0.125, 0.02), (-0.06, 0.046), (0.03, 0.078), (0.13, 0.114), (0.22, 0.146)),
    "Square Toe": ((-0.03, 0.0), (-0.035, 0.06), (-0.012, 0.085), (0.06, 0.104), (0.14, 0.13), (0.22, 0.155)),
    "Peep Toe": ((-0.03, 0.004), (-0.03, 0.03), (0.0, 0.066), (0.06, 0.1), (0.14, 0.128), (0.22, 0.152)),
}
"""Outlines of toes from the tip, as x and height above the insole."""
INSTEP = ((0.30, 0.182), (0.38, 0.217), (0.46, 0.257), (0.53, 0.30), (0.58, 0.335))
BACK = ((1.005, 0.235), (1.018, 0.15), (1.006, 0.06), (0.995, 0.0))


def bow(sketch: Sketch, knot: Points) -> None:
    """Add a bow of ribbon at a point (2,)."""
    color = sketch.colors.second
    for way in (-1, 1):
        wing = knot + np.array([(0, 0), (way * 0.07, 0.055), (way * 0.085, 0.0), (way * 0.06, -0.03), (0, 0)])
        sketch.area(wing, color, bulge=0.012)
    sketch.line(np.stack([knot, knot + 0.001]), 0.035, shade(color, 0.8))


def fluff(sketch: Sketch, rim: Points, width: float) -> None:
    """Add fleece along a rim."""
    pale = sum(sketch.colors.main) > 520
    sketch.line(rim, width, (176, 160, 140) if pale else (240, 232, 216), bulge=0.02, texture="fuzz")


def decorate(sketch: Sketch, x: float, up: float) -> None:
    """Add a flower to girls' shoes, and a star to boys'."""
    gender = sketch.shoe.kind.gender
    if gender not in ("Girls", "Boys"):
        return
    middle = sketch.at((x, up))[0]
    turns = np.linspace(0, 2 * np.pi, 6)[:-1] + 0.3
    color = sketch.colors.second if sketch.shoe.style < 0.5 else (250, 240, 120)
    if gender == "Girls":
        for turn in turns:
            petal = middle + 0.03 * np.array([np.cos(turn), np.sin(turn)])
            sketch.line(np.stack([petal, petal + 0.001]), 0.042, (252, 250, 250), bulge=0.006)
        sketch.line(np.stack([middle, middle + 0.001]), 0.032, (250, 200, 60), bulge=0.006)
        return
    points = [
        middle + r * np.array([np.cos(a), np.sin(a)])
        for a, r in zip(np.pi / 2 + np.arange(10) * np.pi / 5, [0.062, 0.026] * 5, strict=True)
    ]
    sketch.area(np.array(points), color, bulge=0.006)
