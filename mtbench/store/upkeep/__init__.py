"""Care for results: files checked, useless ones removed, and room on the disk."""
