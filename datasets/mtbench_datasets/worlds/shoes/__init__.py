"""A world in the likeness of UT-Zappos50K: drawn shoes on white, with Zappos's folders and metadata.

Yu and Grauman 2014. Kinds of shoes are drawn by `models`, sketched by `soles`, `low`, `boots`, `sandals` and
`fastenings` as parts of a `sketch`, turned into pixels by `canvas`, listed by `tables` and written by `write`.
"""

from .write import find_faults, write_world

__all__ = ["find_faults", "write_world"]
