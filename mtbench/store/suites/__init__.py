"""Suites in a results folder, in sealed files: declarations and plans of looks."""
