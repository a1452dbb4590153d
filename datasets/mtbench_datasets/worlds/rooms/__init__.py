"""A world of rooms with image, classes, depth and normals, in the preprocessed format of NYUv2.

A room, its furniture and lamps are drawn by `layout`, looked at by `surface`, lit by `shading`, made arrays of by
`images` and written by `write`.
"""

from .vocabulary import CLASSES
from .write import find_faults, write_world

__all__ = ["CLASSES", "find_faults", "write_world"]
