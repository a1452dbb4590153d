"""The optimizer, and the parameters that it moves."""
