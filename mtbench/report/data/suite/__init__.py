"""Runs and searches of a suite."""
