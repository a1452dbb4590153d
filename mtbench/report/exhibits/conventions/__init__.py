"""Δm of the same runs by other conventions."""
