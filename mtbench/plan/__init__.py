"""The plan of the runs: texts of the command line become frozen specs, each with an identity."""
