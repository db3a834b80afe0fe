"""Customers: who is new, who comes back, what they are worth."""
