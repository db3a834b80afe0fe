"""The daily mail to owners who asked for it."""
