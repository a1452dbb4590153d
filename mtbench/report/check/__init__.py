"""Comparison of what is written down with what the records say: the files of reports, and numbers in documents."""
