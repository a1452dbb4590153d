"""Balancers that give every task's gradient an equal part: in projection, size or utility."""
