"""Two results folders or packs compared: their runs, numbers, code and circumstances."""
