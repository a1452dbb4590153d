"""Figures, and the parts that they are drawn from."""
