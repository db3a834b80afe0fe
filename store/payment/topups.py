"""Top-ups: money on its way into a shopper's account. An attempt like any other; what it pays for
is a balance."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ..db import db, repeatable, transaction
from ..errors import Invalid
from . import asking, attempts
from .attempts import Ends, KeyReused, Wanted
from .calls import GatewayAway
from .gateways import Gateway
from .ledger import deposit
from .models import CAME, OPEN, Attempt

LASTS = timedelta(hours=24)


def top_up(wanted: Wanted, gateway: Gateway, *, most_minor: int) -> Attempt:
    """Opener (twice): start a top-up and settle it if the provider answers at once. The same key
    with the same provider answers the same top-up, as long as it may be paid, and ever after it
    was; another provider, or a page that tries again, begins the next one under that key.

    Raises Invalid (nothing, or more than the limit), KeyReused, GatewayAway.
    """
    if not 0 < wanted.amount_minor <= most_minor:
        raise Invalid("This amount cannot be topped up", field="amount", most_minor=most_minor)
    try:
        mine, fresh = _begin(wanted, gateway.name)
    except IntegrityError:  # The same page was sent twice at once, and the other was faster.
        mine, fresh = _begin(wanted, gateway.name)
    if fresh:
        try:
            asking.start(mine, wanted, gateway, f"/me/top-up/{mine.id}")
        except GatewayAway:
            attempts.give_up(mine.id, "start")
            raise
    return find(mine.id)


@repeatable
def _begin(wanted: Wanted, gateway: str) -> tuple[Attempt, bool]:
    """Opener: the attempt of this page, and whether its provider must be asked."""
    with transaction():
        attempts.lock_key(wanted.member_id, wanted.key)
        earlier = attempts.with_key(wanted.member_id, wanted.key)
        if earlier is None:
            return attempts.begin(wanted, gateway, "top_up", LASTS), True
        said = (wanted.amount_minor, wanted.currency, "top_up")
        if (earlier.amount_minor, earlier.currency, earlier.purpose) != said:
            raise KeyReused("The key was used for another amount")
        if earlier.state in OPEN:
            attempts.locked(earlier.id)  # It may have been paid since it was read.
        if earlier.state in CAME:
            return earlier, False
        if earlier.state in OPEN:
            if (earlier.gateway, earlier.way) == (gateway, wanted.way):
                # One that was written down, and whose provider has told nothing, is asked again.
                return earlier, earlier.state == "created"
            attempts.step(earlier, "given_up", "return")
        number = earlier.number + 1
        return attempts.begin(wanted, gateway, "top_up", LASTS, number=number), True


def _paid(mine: Attempt) -> None:
    source = f"gateway:{mine.gateway}"
    deposit(mine.member_id or 0, mine.amount_minor, mine.currency, source, attempt_id=mine.id)


def _over(mine: Attempt) -> None:
    """Nothing was promised, so nothing is undone."""


attempts.serves("top_up", Ends(_paid, _over))


def waiting(member_id: int) -> list[Attempt]:
    """A member's top-ups that are not settled yet."""
    query = select(Attempt).where(
        Attempt.member_id == member_id, Attempt.purpose == "top_up", Attempt.state.in_(OPEN)
    )
    return list(db.session.scalars(query.order_by(Attempt.created_at.desc()).limit(20)))


def find(top_up_id: str, member_id: int | None = None) -> Attempt:
    """A top-up; with a member, only theirs. Raises NotFound."""
    return attempts.find(top_up_id, member_id, "top_up")
