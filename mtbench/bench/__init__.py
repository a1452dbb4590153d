"""The speed of methods on this machine: steps of training timed, and what the machine could do at most."""
