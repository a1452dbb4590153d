"""Tasks, their kinds and their metrics."""
