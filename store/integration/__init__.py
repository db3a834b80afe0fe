"""Integration: the other systems. What they send is taken once or listed for a person; what happens
here they hear in one order."""

from . import webhooks
from .changes import TOPICS, Happened, follow
from .changes import read as changes_after
from .conflicts import ConflictStands, apply, dismiss, entries, sources
from .delivering import deliver
from .feeds import MOST_ENTRIES, Outcome, take
from .payloads import tell
from .reading import FEEDS, Entry, read

__all__ = [
    "FEEDS",
    "MOST_ENTRIES",
    "TOPICS",
    "ConflictStands",
    "Entry",
    "Happened",
    "Outcome",
    "apply",
    "changes_after",
    "deliver",
    "dismiss",
    "entries",
    "follow",
    "read",
    "sources",
    "take",
    "tell",
    "webhooks",
]
