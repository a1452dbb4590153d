"""A world in CLEVR's likeness: spheres, cubes and cylinders on a ground plane, rendered and described as CLEVR v1.0.

Johnson et al. 2017. Objects, camera and lamps are drawn by `placement`, looked at by `surface`, lit by `shading`,
described by `scenes` and written by `write`.
"""

from .scenes import draw_scenes
from .write import find_faults, write_world

__all__ = ["draw_scenes", "find_faults", "write_world"]
