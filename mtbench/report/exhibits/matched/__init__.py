"""Results of methods over their cost."""
