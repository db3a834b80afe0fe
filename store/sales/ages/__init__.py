"""Ages: what is not sold to everybody, and who is known to be old enough."""
