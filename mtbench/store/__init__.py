"""Runs on disk: leased, checkpointed, published whole or not at all, verified when read."""
