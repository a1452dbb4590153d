"""Boots, of leather or of fleece."""

import numpy as np

from .details import TOES, decorate, fluff
from .fastenings import buckle, gore, hook_and_loop, laces, pull_loops, zipper
from .sketch import Points, Sketch, along, between, join, shade

__all__ = ["draw_boot"]

_HEIGHTS = {"Ankle": 0.50, "Mid-Calf": 0.86, "Knee High": 1.34, "Over the Knee": 1.78, "Boot": 0.52}
"""Heights of shafts above the seat of the heel, relative to the foot's length."""
_FRONT = (
    (0.25, 0.56),
    (0.4, 0.575),
    (0.6, 0.565),
    (0.86, 0.545),
    (1.1, 0.53),
    (1.34, 0.535),
    (1.55, 0.5),
    (1.78, 0.485),
)
_BACK = ((0.25, 0.985), (0.4, 0.98), (0.6, 1.0), (0.86, 1.04), (1.1, 1.05), (1.34, 1.03), (1.55, 1.06), (1.78, 1.08))
"""x of a leg's front and back at heights above the seat."""


def draw_boot(sketch: Sketch) -> None:
    """Add a boot's upper and its closure."""
    shoe = sketch.shoe
    height = _HEIGHTS[shoe.kind.subcategory] * (0.93 + 0.14 * shoe.style) * (0.86 if shoe.plump > 1.15 else 1.0)
    front, rear = _leg(sketch, _FRONT, height), _leg(sketch, _BACK, height)
    rim = np.stack([front[-1], rear[-1]])
    middle = rim.mean(0)
    ring = np.linspace(0, np.pi, 13)[:, None]
    far = middle + np.cos(ring) * (rim[0] - middle) + np.array([0.0, 0.05]) * np.sin(ring)
    sketch.area(far, shade(sketch.colors.lining, 0.62), bulge=0.0)
    sketch.line(far, 0.018, shade(sketch.colors.main, 0.75), bulge=0.004)
    toe = along(join(sketch.at(*TOES[shoe.toe], (0.31, 0.19), (0.41, 0.245)), front))
    back = along(join(rear[::-1], sketch.at((1.015, 0.13), (1.004, 0.05), (0.995, 0.0))))
    outline = join(toe, back, sketch.bottom(TOES[shoe.toe][0][0], 0.99))
    sketch.area(outline, sketch.colors.main, name="upper", bulge=0.07, texture=shoe.material)
    _seams(sketch)
    _close(sketch, toe, height, rim)
    if shoe.kind.category == "Slippers" or (shoe.style < 0.12 and shoe.kind.closure != "Pull-on"):
        fluff(sketch, rim + np.array([0.0, -0.015]), 0.13)
    decorate(sketch, 0.8, 0.32)


def _leg(sketch: Sketch, side: tuple[tuple[float, float], ...], height: float) -> Points:
    """Return the line of a leg's front or back from the ankle to a height."""
    ups, xs = np.array(side).T
    kept = [float(up) for up in ups if up < height - 0.04] + [height]
    return sketch.above(*((float(np.interp(up, ups, xs)), up) for up in kept))


def _seams(sketch: Sketch) -> None:
    shoe = sketch.shoe
    if shoe.toe == "Capped Toe":
        sketch.seam(along(sketch.at((0.2, -0.01), (0.165, 0.07), (0.17, 0.17))))
    sketch.seam(along(sketch.at((0.38, 0.24), (0.45, 0.12), (0.6, 0.07), (0.72, -0.01))))
    sketch.seam(along(join(sketch.at((0.8, -0.01), (0.86, 0.1)), sketch.above((0.93, 0.2), (1.04, 0.24)))))
    if shoe.sole in ("flat", "block") and shoe.kind.category == "Boots":
        sketch.line(sketch.bottom(0.0, 0.99, up=0.006), 0.014, shade(sketch.colors.sole, 1.25), bulge=0.006)


def _close(sketch: Sketch, toe: Points, height: float, rim: Points) -> None:
    shoe, closure = sketch.shoe, sketch.shoe.kind.closure
    share = int((toe[:, 1] < float(sketch.at((0.33, 0.19))[0, 1])).sum()) / len(toe)
    front = between(toe, min(share, 0.6), 1.0)
    if closure == "Lace up":
        front = front[front[:, 1] <= toe[-1, 1] - (0.02 if height < 0.7 else 0.08)]
        laces(sketch, front, max(5, round(height / 0.11)), length=0.11, tongue=False)
    elif closure == "Zipper":
        zipper(
            sketch,
            along(
                join(
                    sketch.at((0.69, 0.1)),
                    sketch.above((0.76, 0.3), (0.79, 0.45 * height + 0.15), (0.79, height - 0.05)),
                )
            ),
        )
    elif closure == "Buckle":
        for up in (0.3,) if shoe.style < 0.5 else (0.27, height - 0.12):
            low, high = float(np.interp(up, *np.array(_FRONT).T)), float(np.interp(up, *np.array(_BACK).T))
            line = along(sketch.above((low - 0.01, up + 0.03), (0.72, up - 0.015), (high + 0.005, up)))
            buckle(
                sketch,
                line,
                0.075,
                shade(sketch.colors.main, 0.7 if sum(sketch.colors.main) > 200 else 1.7),
                at=0.42,
                within="upper",
            )
    elif closure == "Elastic Gore":
        gore(sketch, sketch.above((0.66, height + 0.02), (0.87, height + 0.02), (0.83, 0.2), (0.77, 0.15), (0.71, 0.2)))
    elif closure == "Hook and Loop":
        hook_and_loop(sketch, front[len(front) // 3 :], 1 if height < 0.5 else 2, length=0.26, width=0.10)
    else:
        pull_loops(sketch, rim[0] * 0.86 + rim[1] * 0.14, rim[0] * 0.1 + rim[1] * 0.9)
