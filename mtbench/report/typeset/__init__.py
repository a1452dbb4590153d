"""Tables as LaTeX, as text and for a terminal."""
