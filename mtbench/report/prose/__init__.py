"""Numbers for sentences: a LaTeX macro per number."""
