"""Summary tables as a paper prints them, with display names and references of the methods."""
