"""Integration: the other systems. What they send is taken once or listed for a person."""

from .conflicts import ConflictStands, apply, dismiss, entries, sources
from .feeds import MOST_ENTRIES, Outcome, take
from .reading import FEEDS, Entry, read

__all__ = [
    "FEEDS",
    "MOST_ENTRIES",
    "ConflictStands",
    "Entry",
    "Outcome",
    "apply",
    "dismiss",
    "entries",
    "read",
    "sources",
    "take",
]
