"""Runs on disk: claimed, checkpointed, published whole or not at all, verified when read."""
