"""The plan of what is to be run: texts of the command line become frozen specs, each with an identity."""
