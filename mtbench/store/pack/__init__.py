"""Packs: results in one file, a zip file without compression, with the SHA-256 of each member in an index."""
