"""Rows of a suite whose task weights come from the runs of other rows."""
