"""Asking: the provider is asked for the money, what became of it, and to let nobody pay any more;
always with no transaction open. What it answers is settled by `attempts`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select, update

from .. import clock
from ..db import db, repeatable, transaction
from . import cards, events
from .attempts import FIRST_ASKED_AFTER, Wanted, give_up, settle
from .calls import GatewayAway, call
from .gateways import (
    SET_UP,
    Answer,
    Approved,
    Declined,
    Gateway,
    GatewayTimeout,
    NoticeForeign,
    Order,
    Pending,
)
from .models import OPEN, Attempt

__all__ = ["abandon", "ask_about", "ask_again", "order_of", "start"]

SELDOM = timedelta(minutes=10)


def start(mine: Attempt, wanted: Wanted, gateway: Gateway, return_path: str) -> None:
    """Ask the provider for the money, and settle it if it answers at once. A provider that does
    not answer is asked again by the worker. Raises GatewayAway where it was not asked at all."""
    order = Order(
        mine.id, mine.amount_minor, mine.currency, mine.way, subject=wanted.subject,
        return_url=wanted.base_url + return_path, wish=wanted.wish, ends_at=mine.ends_at,
        notice_url=f"{wanted.base_url}/payments/notices/{gateway.name}", address=wanted.address,
        onward_url=f"{wanted.base_url}/payments/onward/{gateway.name}",
        payer=wanted.payer, **cards.terms_of(mine),
    )  # fmt: skip
    try:
        answer = call(gateway, lambda: gateway.start(order))
    except GatewayTimeout:
        return
    settle(mine.id, answer, "start")
    if mine.saved_id is not None and answer == Declined(cards.UNKNOWN):
        cards.lose(mine.saved_id)


def ask_again(gateways: dict[str, Gateway], *, at: datetime | None = None, limit: int = 200) -> int:
    """Ask the providers about what is due by then and settle it; answers how many were settled.
    What nobody paid in time is given up (late money is still booked)."""
    query = (
        select(Attempt)
        .where(
            Attempt.state.in_(OPEN),
            Attempt.ask_at <= (at or clock.now()),
            Attempt.gateway.in_(gateways),
        )
        .order_by(Attempt.ask_at)
        .limit(limit)
    )
    found = list(db.session.scalars(query))
    db.session.rollback()
    return sum(ask_about(mine, gateways[mine.gateway], "query") not in OPEN for mine in found)


def ask_about(mine: Attempt, gateway: Gateway, source: str = "return") -> str:
    """Ask the provider about one attempt, now, and take what the shopper has agreed to; answers
    its state."""
    if mine.state not in OPEN:
        return mine.state
    order = order_of(mine)
    try:
        answer = call(gateway, lambda: gateway.status(order))
        if isinstance(answer, Pending) and answer.to_capture:
            settle(mine.id, answer, source)
            answer = call(gateway, lambda: gateway.capture(order))
        # Who does not know our keys tells nothing about this payment.
        wrong = isinstance(answer, Declined) and answer.reason == SET_UP
        state = mine.state if wrong else settle(mine.id, answer, source)
    except (GatewayTimeout, GatewayAway):
        state = mine.state
    except NoticeForeign as refusal:
        events.refuse(gateway.name, source, refusal, attempt_id=mine.id)
        state = mine.state
    if state in OPEN:
        return _end(mine, gateway, "query") if clock.now() > mine.ends_at else _ask_later(mine)
    return state


def abandon(mine: Attempt, gateway: Gateway, source: str = "return") -> str:
    """Nobody shall pay it any more. The provider is asked first, for it may have been paid a moment
    ago; nothing is captured. Answers the state."""
    if mine.state not in OPEN:
        return mine.state
    order = order_of(mine)
    return _book(mine, gateway, lambda: gateway.status(order), source) or _end(
        mine, gateway, source
    )


def _end(mine: Attempt, gateway: Gateway, source: str) -> str:
    """Given up here, and then closed at the provider: who asks meanwhile is told the same. What was
    paid before it could be closed is late money."""
    state = give_up(mine.id, source)
    if state != "expired":
        return state
    order = order_of(mine)
    return _book(mine, gateway, lambda: gateway.close(order), source) or state


def _book(mine: Attempt, gateway: Gateway, ask: Callable[[], Answer], source: str) -> str:
    """The state, where the provider says that the money came; else "". A provider that does not
    answer ends the payment by its own time; late money is still booked."""
    try:
        answer = call(gateway, ask)
        return settle(mine.id, answer, source) if isinstance(answer, Approved) else ""
    except NoticeForeign as refusal:
        events.refuse(gateway.name, source, refusal, attempt_id=mine.id)
    except (GatewayTimeout, GatewayAway):
        pass
    return ""


def order_of(mine: Attempt) -> Order:
    """An attempt as its provider knows it."""
    return Order(
        mine.id, mine.amount_minor, mine.currency, mine.way, mine.reference, ends_at=mine.ends_at,
        **cards.terms_of(mine),
    )  # fmt: skip


@repeatable
def _ask_later(mine: Attempt) -> str:
    """Opener: what is fresh is asked about every few seconds, what waits long more seldom."""
    at = clock.now()
    pause = min(max(FIRST_ASKED_AFTER, (at - mine.created_at) / 4), SELDOM)
    with transaction() as session:
        values = {"ask_at": min(at + pause, max(mine.ends_at, at + FIRST_ASKED_AFTER))}
        session.execute(update(Attempt).where(Attempt.id == mine.id).values(**values))
    return mine.state
