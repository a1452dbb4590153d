"""Fingerprints of the code and the data that make the numbers of a run."""
