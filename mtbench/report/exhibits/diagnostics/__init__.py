"""Conflict of the tasks' gradients, and selectivity of their features."""
