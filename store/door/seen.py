"""Proof of when a pass was scanned, for a form that a person reads before they press its button.

On a staff phone's own camera the page opens first and is sent back later; without this the code
would be stale by then, through no fault of the shopper. Pure functions; the key is given.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .. import ids

READING = timedelta(minutes=5)


def proof(text: str, member_id: int, at: datetime, key: bytes) -> str:
    """What the form carries: the second, and a code that binds it to the pass and the person."""
    second = str(int(at.timestamp()))
    return f"{second}.{_mac(text, member_id, second, key)}"


def seen_at(given: str, text: str, member_id: int, now: datetime, key: bytes) -> datetime | None:
    """The moment that a proof proves; None when it is of another pass or person, or too old."""
    second, _, mac = given.partition(".")
    if not second.isascii() or not second.isdigit() or len(second) > 11 or not mac.isascii():
        return None
    if not ids.same(mac, _mac(text, member_id, second, key)):
        return None
    at = datetime.fromtimestamp(int(second), tz=UTC)
    return at if now - at <= READING else None


def _mac(text: str, member_id: int, second: str, key: bytes) -> str:
    return ids.mac(key, "pass-seen", text, str(member_id), second, length=16)
