"""Summary tables of comparisons, with their learning curves and points."""
