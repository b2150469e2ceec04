"""Examples to load, run and change."""
