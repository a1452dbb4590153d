"""Conventions of published code for the numbers of a table, computed from records."""
