"""Confirming: what a request brings to prove that the member themself wants what is above a limit.

One function for all rooms; a passkey would be another answer to the same question.
"""

from __future__ import annotations

from flask import request

from .. import ids, web
from . import pins

PIN_HEADER = "Confirmation-Pin"


def confirmed(member_id: int) -> bool:
    """Whether this request carries the member's PIN: as a field of the form, or of the API as a
    header. False where it carries none. Raises Invalid, PinMissing, TooMany, PinWrong."""
    pin = request.headers.get(PIN_HEADER) if _is_api() else request.form.get("pin")
    if not pin:
        return False
    pins.check(member_id, pin.strip()[:64])
    return True


def confirmed_or_fresh(member_id: int) -> bool:
    """The same, or a sign-in of the last minutes."""
    return confirmed(member_id) or signed_in_anew()


def signed_in_anew() -> bool:
    """Whether the visitor signed in a moment ago."""
    visit = web.known_visit()
    return visit is not None and pins.is_fresh(ids.digest(visit))


def refuse_stale_sign_in() -> None:
    """Raises SignInAgain for a visitor who has not signed in a moment ago."""
    if not signed_in_anew():
        raise pins.SignInAgain()


def _is_api() -> bool:
    return request.path.startswith("/api/")
