"""The top-down modulation network and its top-down streams."""
