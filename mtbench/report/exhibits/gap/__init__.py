"""Test error over training loss."""
