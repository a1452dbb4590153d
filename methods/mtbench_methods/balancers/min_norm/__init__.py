"""Balancers that solve for a direction in the convex hull or cone of the gradients."""
