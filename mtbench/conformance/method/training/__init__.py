"""Checks of how a method is trained: it learns, repeats itself, and keeps absent tasks out of a step."""
