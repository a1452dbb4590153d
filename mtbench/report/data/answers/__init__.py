"""Answers of runs to single test examples."""
