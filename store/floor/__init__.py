"""Floor: the shop as it is at this moment, what waits in it for staff, and what a code is for."""
