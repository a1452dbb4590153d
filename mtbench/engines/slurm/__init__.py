"""The engine ``slurm``: runs as elements of job arrays of a Slurm cluster, submitted by Slurm's own commands.

A job is the paths of some specs, given to ``mtbench exec``; nothing is pickled. The state of a run is that of its
folder and of Slurm's queue, so that the command that submitted it may end at any time and be given again.
"""
