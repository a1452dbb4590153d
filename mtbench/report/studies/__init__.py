"""Searches: fronts and chosen settings, in tables and figures."""
