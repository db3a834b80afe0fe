"""The logbook: what staff did, each act once, in the transaction that did it; never changed."""

from .acts import VERBS, acting, done_at, listed, note, seen, told_late
from .models import Act

__all__ = ["VERBS", "Act", "acting", "done_at", "listed", "note", "seen", "told_late"]
