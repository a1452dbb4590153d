"""Balancers that change gradients where they conflict."""
