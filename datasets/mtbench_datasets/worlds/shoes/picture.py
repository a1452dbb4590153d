"""Pictures of shoes on white, as shops have them."""

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from .boots import draw_boot
from .canvas import render
from .low import draw_low
from .models import Shoe
from .sandals import draw_sandal
from .sketch import Sketch
from .soles import draw_sole

__all__ = ["draw_picture"]


def draw_picture(shoe: Shoe, draws: Draws, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) of a shoe.

    Args:
        draws: for the grain of its materials.
        size: (height, width) in pixels.
    """
    sketch = Sketch(shoe)
    draw_sole(sketch)
    if shoe.kind.category == "Sandals":
        draw_sandal(sketch)
    elif shoe.kind.category == "Boots" or shoe.kind.subcategory == "Boot":
        draw_boot(sketch)
    else:
        draw_low(sketch)
    return render(sketch.parts, size, draws)
