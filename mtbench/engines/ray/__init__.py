"""The engine ``ray``: runs as tasks of a Ray cluster, each in a process of its own, on a folder that machines share.

`driver` decides by the folders of runs, and never by Ray. Everything of Ray is in a process of its own (`bridge`),
which `cluster` starts: Ray prints to standard output, replaces signal handlers, may wait without end, and ends its
process when the head of the cluster is lost. `attend` is the task.
"""
