"""Where runs are executed: a job is the path of a spec, given to a worker."""
