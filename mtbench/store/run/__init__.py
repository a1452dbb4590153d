"""One run on disk: its folder, its lease, its checkpoint and its end."""
