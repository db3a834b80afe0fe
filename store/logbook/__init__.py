"""The logbook: what staff did, each act once, in the transaction that did it; never changed."""

from .acts import VERBS, acting, listed, note, seen
from .models import Act

__all__ = ["VERBS", "Act", "acting", "listed", "note", "seen"]
