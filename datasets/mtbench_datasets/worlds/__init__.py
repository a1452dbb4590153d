"""Rendered worlds: stand-ins for datasets that cannot be downloaded everywhere, in their on-disk formats."""

__all__ = ["MANIFEST"]

MANIFEST = "mtbench-world.json"
"""A file in the folder of a world: its settings, and that it is not the released dataset."""
