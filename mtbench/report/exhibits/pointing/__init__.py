"""Pointing of attention maps at the tasks' objects."""
