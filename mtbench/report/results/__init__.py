"""Runs that are compared, and numbers that follow from them."""
