"""Parts of a run that take long where a test asks for it."""
