"""Datasets, a backbone and methods for tests, installed as a stranger's package would be."""
