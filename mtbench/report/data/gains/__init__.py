"""Gains over single-task networks, and ranks of methods."""
