"""Runs, searches and forecasts on the screen, in words and tables."""
