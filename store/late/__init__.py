"""Late: what staff did without a network. Their device keeps it and tells it when the network is
back; here it is taken once, in their name, and as of its own time."""

from .acts import read, sweep, take

__all__ = ["read", "sweep", "take"]
