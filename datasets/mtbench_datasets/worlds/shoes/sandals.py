"""Sandals: a bed for the foot, and straps."""

from .details import decorate
from .fastenings import ankle_strap, buckle, ribbon, sling_back
from .models import Color
from .sketch import Sketch, along, join, shade

__all__ = ["draw_sandal"]


def draw_sandal(sketch: Sketch) -> None:
    """Add a sandal's bed, its straps and its closure."""
    shoe, closure = sketch.shoe, sketch.shoe.kind.closure
    color = sketch.colors.main
    near, far = sketch.bottom(-0.01, 1.0, 0.006), sketch.bottom(0.02, 0.985, 0.05)
    if closure == "Ankle Strap":
        ankle_strap(sketch, behind=True)
    if closure == "Sling Back":
        sling_back(sketch, (0.5, 0.14), behind=True)
    sketch.area(join(near, far[::-1]), shade(sketch.colors.lining, 0.95), name="bed", bulge=0.012)
    sporty = shoe.kind.subcategory == "Athletic"
    if closure == "Slip-On" and not sporty and shoe.style < 0.4:
        _thong(sketch, color)
        decorate(sketch, 0.55, 0.03)
        return
    wide = 0.16 if sporty or closure in ("Slip-On", "Buckle", "Hook and Loop") else 0.085
    if closure == "Slip-On":
        wide = 0.27
    _band(sketch, 0.12, wide, color)
    if closure in ("Buckle", "Hook and Loop") or sporty:
        _band(
            sketch,
            0.45,
            0.11 if shoe.rise < 0.1 else 0.075,
            color if shoe.style < 0.5 else sketch.colors.second,
            up=0.29,
        )
    if sporty or closure in ("Ankle Strap", "Hook and Loop"):
        _counter(sketch)
    if closure == "Ankle Strap":
        ankle_strap(sketch, behind=False)
        if shoe.style > 0.6:
            ribbon(sketch, along(sketch.at((0.2, 0.13), (0.4, 0.22), (0.58, 0.36))), 0.03, color)
    elif closure == "Sling Back":
        _band(sketch, 0.42, 0.055, color, up=0.2)
        sling_back(sketch, (0.47, 0.14), behind=False)
    elif closure == "Buckle":
        for x, up in ((0.12 + wide / 2, 0.115), (0.5, 0.215)) if shoe.rise < 0.1 else ((0.485, 0.22),):
            line = along(
                sketch.at((x - 0.03, up + 0.075), (x + 0.0, up), (x + 0.035, up - 0.09), (x + 0.05, up - 0.13))
            )
            buckle(sketch, line, 0.06, shade(color, 0.75 if sum(color) > 200 else 1.6), at=0.4)
    elif closure == "Hook and Loop":
        for x, up in ((0.14 + wide / 2, 0.10), (0.51, 0.2)):
            tab = sketch.at(
                (x - 0.055, up + 0.06),
                (x + 0.03, up + 0.08),
                (x + 0.085, up - 0.07),
                (x + 0.045, up - 0.1),
                (x, up - 0.085),
            )
            other = sketch.colors.second
            sketch.area(tab, other, bulge=0.014)
            middle = tab.mean(0)
            inner = middle + 0.68 * (tab - middle)
            sketch.line(join(inner, inner[:1]), 0.008, shade(other, 0.55 if sum(other) > 300 else 2.2), bulge=0.0)
    decorate(sketch, 0.23, 0.07)


def _band(sketch: Sketch, start: float, width: float, color: Color, up: float = 0.135) -> None:
    """Add a band over the foot, an arch from the near edge of the bed to the far one."""
    stop, tilt = start + width, 0.05
    rise = up + 0.1 * width
    far = sketch.at(
        (start + 0.07, up), (stop + 0.08, rise), (stop + 0.115, 0.6 * rise), (stop + 0.11, 0.045), (start + 0.1, 0.045)
    )
    sketch.area(along(far), shade(color, 0.5), bulge=0.0)
    edge = ((start - 0.045, -0.004), (start - 0.03, 0.45 * up), (start + 0.01, 0.85 * up), (start + 0.06, up + 0.004))
    rear = ((stop + 0.075, rise), (stop + 0.09, rise - 0.018), (stop + 0.055, 0.62 * rise), (stop + tilt, -0.004))
    texture = sketch.shoe.material if sketch.shoe.material in ("Leather", "Patent", "Suede") else "Canvas"
    outline = join(along(sketch.at(*edge)), along(sketch.at(*rear)))
    sketch.area(outline, color, name="upper", bulge=0.035, texture=texture)


def _thong(sketch: Sketch, color: Color) -> None:
    far = along(sketch.at((0.17, 0.085), (0.3, 0.13), (0.44, 0.11), (0.55, 0.05)))
    near = along(sketch.at((0.17, 0.085), (0.26, 0.10), (0.4, 0.07), (0.52, 0.0)))
    ribbon(sketch, far, 0.045, shade(color, 0.65))
    ribbon(sketch, sketch.at((0.165, 0.02), (0.172, 0.085)), 0.03, shade(color, 0.8))
    ribbon(sketch, near, 0.055, color)


def _counter(sketch: Sketch) -> None:
    """Add the parts that hold the heel."""
    outline = along(sketch.at((0.82, 0.0), (0.86, 0.12), (0.93, 0.2), (1.0, 0.24), (1.018, 0.14), (1.0, 0.0)))
    sketch.area(outline, sketch.colors.main, name="upper", bulge=0.03, texture=sketch.shoe.material)
