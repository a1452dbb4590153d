"""Statistics for few seeds. The package knows arrays, nothing of training or files."""
