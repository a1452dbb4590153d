"""From a spec to a trained network: one loop, and what it measures on the way."""
