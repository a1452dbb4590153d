"""Training for the command line: runs, seeds that are added until claims are decided, and certificates."""
