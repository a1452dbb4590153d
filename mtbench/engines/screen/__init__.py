"""Output on the screen while runs are under way."""
