"""Returns: what may come back, from when to when, and what was handed in."""
