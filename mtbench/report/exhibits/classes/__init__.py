"""Metrics beside accuracy where classes are unequal or unknown."""
