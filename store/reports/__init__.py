"""Reports: what happened, read only."""
