"""Balancers, and the losses that they combine."""
