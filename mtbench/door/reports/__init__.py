"""Reports that were asked for: their tables, the runs behind a number, and their comparison with files."""
