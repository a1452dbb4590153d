"""Differences of the training protocols of one dataset."""
