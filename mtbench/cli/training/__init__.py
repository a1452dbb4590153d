"""Commands that train: run, search, exec and bench; and the states of runs."""
