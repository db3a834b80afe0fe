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
from .models import OPEN, Attempt

LASTS = timedelta(hours=24)


def top_up(wanted: Wanted, gateway: Gateway, *, most_minor: int) -> Attempt:
    """Opener (twice): start a top-up and settle it if the provider answers at once. The same key
    answers the same top-up.

    Raises Invalid (nothing, or more than the limit), KeyReused, GatewayAway.
    """
    if not 0 < wanted.amount_minor <= most_minor:
        raise Invalid("This amount cannot be topped up", field="amount", most_minor=most_minor)
    try:
        mine, fresh = _begin(wanted, gateway.name)
    except IntegrityError:  # The same page was sent twice at once, and the other one was faster.
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
    with transaction():
        mine = attempts.with_key(wanted.member_id, wanted.key)
        if mine is None:
            return attempts.begin(wanted, gateway, "top_up", LASTS), True
        said = (wanted.amount_minor, wanted.currency, "top_up")
        if (mine.amount_minor, mine.currency, mine.purpose) != said:
            raise KeyReused("The key was used for another amount")
        return mine, False


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
