"""Runs and searches of kept packs beside a reader's own."""
