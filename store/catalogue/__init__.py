"""Catalogue: what is sold, under which codes and at what price."""
