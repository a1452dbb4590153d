"""Intervals for the ranks of methods, and letters for methods that are not significantly different."""
