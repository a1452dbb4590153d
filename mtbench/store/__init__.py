"""Runs on disk: leased, checkpointed, published completely or not at all, verified when read."""
