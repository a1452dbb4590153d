"""Statistics for few seeds. Knows arrays, nothing of training or files."""
