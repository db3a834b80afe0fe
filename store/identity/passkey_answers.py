"""What a browser was asked about passkeys, and what it answers. A challenge is kept for one
browser, some minutes long, and leaves the table when it is answered: no answer counts twice."""

from __future__ import annotations

import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from .. import clock, ids, strict, sweeping
from ..db import repeatable, transaction
from ..errors import Refusal
from .models import Challenge

__all__ = ["PasskeyRefused", "as_bytes", "as_text", "keep", "read", "refused", "sweep", "taken"]

log = logging.getLogger(__name__)

MINUTES = 10
LONGEST = 20_000
"""What a browser answers takes one or two thousand characters."""


class PasskeyRefused(Refusal):
    """What came is not an answer to what this browser was asked, or not of a passkey known here."""

    code = "passkey_refused"
    status = 403
    title = "This passkey does not fit"


@repeatable
def keep(challenge: bytes, visit: str, member_id: int | None) -> None:
    with transaction() as session:
        session.add(
            Challenge(digest=ids.digest(as_text(challenge)), visit=visit, member_id=member_id,
                      expires_at=clock.now() + timedelta(minutes=MINUTES))
        )  # fmt: skip


def taken(said: dict[str, Any], visit: str, member_id: int | None) -> bytes:
    """The challenge that the answer is to, which leaves the table. Raises PasskeyRefused."""
    try:
        client = strict.read(as_bytes(said["response"]["clientDataJSON"]))
        challenge = client["challenge"]
        digest = ids.digest(challenge)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refused("read", error) from error
    if not _take(digest, visit, member_id):
        raise refused("asked for", LookupError())
    return as_bytes(challenge)


@repeatable
def _take(digest: str, visit: str, member_id: int | None) -> bool:
    whose = Challenge.member_id.is_(None) if member_id is None else Challenge.member_id == member_id
    with transaction() as session:
        gone = session.execute(
            delete(Challenge).where(
                Challenge.digest == digest, Challenge.visit == visit, whose,
                Challenge.expires_at > clock.now(),
            )
        )  # fmt: skip
        return gone.rowcount == 1  # type: ignore[attr-defined,no-any-return]


def sweep() -> int:
    """Opener: challenges that nobody answered; answers how many."""
    return sweeping.remove(Challenge, Challenge.expires_at < clock.now())


def read(answer: str) -> dict[str, Any]:
    """What a browser says of a credential, as an object with the fields that are always there."""
    try:
        if len(answer) > LONGEST:
            raise ValueError("this is too long")
        said = strict.read(answer)
        fits = isinstance(said["id"], str) and isinstance(said["response"], dict)
        texts = all(value is None or isinstance(value, str) for value in said["response"].values())
        as_bytes(said["id"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refused("read", error) from error
    if not fits or not texts or len(said["id"]) > 1400:
        raise refused("read", ValueError())
    return dict(said) | {"id": said["id"].rstrip("="), "rawId": said["id"].rstrip("=")}


def refused(what: str, error: Exception) -> PasskeyRefused:
    # The kind of the error tells enough; its text may quote what was sent.
    log.warning("a passkey was not %s: %s", what, type(error).__name__)
    return PasskeyRefused()


def as_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def as_bytes(text: str) -> bytes:
    if not text.isascii():
        raise ValueError("this is no base 64")
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
