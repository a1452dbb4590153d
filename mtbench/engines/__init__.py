"""Execution of runs: a job is the path of a spec, given to ``mtbench exec`` by an engine.

Authors of an engine need `Engine`, `Job`, `Listener`, `Outcome`, `Site` and `outcome` of `mtbench.engines.engine`.
"""
