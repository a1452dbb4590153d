"""Rendered worlds: stand-ins for datasets that cannot be downloaded everywhere, in their on-disk formats."""
