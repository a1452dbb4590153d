"""Conflict of the tasks' gradients, in tables and figures."""
