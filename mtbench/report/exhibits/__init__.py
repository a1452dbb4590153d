"""Tables and figures beside those of every report, over what a suite varies."""
