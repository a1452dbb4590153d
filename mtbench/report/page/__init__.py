"""Tables in words, and their renderings: terminal, Markdown and LaTeX."""
