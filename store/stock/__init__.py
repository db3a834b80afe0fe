"""Stock: how many of each item are where, and every movement that made it so."""
