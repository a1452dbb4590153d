"""The cost of runs: what training used, and the time that runs will take."""
