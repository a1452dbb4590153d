"""From a spec to a trained network: one loop, and the measurements along the way."""
