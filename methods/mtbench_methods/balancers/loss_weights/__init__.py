"""Balancers that weight the losses: one backward pass per step."""
