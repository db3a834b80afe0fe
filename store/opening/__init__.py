"""Opening a shop: the first hour of its owner, step by step, and the settings that it needs."""
