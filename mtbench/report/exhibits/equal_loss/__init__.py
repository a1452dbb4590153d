"""Conflict of several methods at the same training loss."""
