"""Resources that were spent on the rows of a table."""
