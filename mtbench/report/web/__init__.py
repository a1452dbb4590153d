"""The report as one page for a browser: self-contained, complete without JavaScript."""
