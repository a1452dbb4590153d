"""Execution of runs: a job is the path of a spec, given to a worker."""
