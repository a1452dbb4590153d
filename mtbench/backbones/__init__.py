"""Trunks that methods are built on: one file a backbone."""
