"""A world in the likeness of CUB-200-2011: drawn birds of invented species, with CUB's parts, attributes and files.

Wah et al. 2011. Kinds of birds are drawn by `species`, built by `anatomy` of the solids of `sweeps`, colored by `paint`
before what `scenery` draws, put together by `picture`, described by `annotate`, listed by `tables` and written by
`write`.
"""

from .species import MOST
from .write import find_faults, write_world

__all__ = ["MOST", "find_faults", "write_world"]
