"""A task that is added to a trained network."""
