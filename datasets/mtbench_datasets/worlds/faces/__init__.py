"""A world in the likeness of CelebA: drawn faces with CelebA's attributes and files.

Liu et al. 2015. Attributes are drawn by `persona`; shapes and colors made of them by `build`; `canvas` is painted on by
`head`, `features`, `hair` and `wear`, put together by `picture`, listed by `tables` and written by `write`.
"""

from .names import DRAWN, NAMES
from .write import find_faults, write_world

__all__ = ["DRAWN", "NAMES", "find_faults", "write_world"]
