"""Results over a setting that a suite varies."""
