"""Execution on this machine: worker processes, one for each core or place on a GPU."""
