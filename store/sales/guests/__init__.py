"""Guests: who bought without an account, who says afterwards that it was them, or was not."""
