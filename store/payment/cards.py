"""Cards: what a member may pay with again by one tap, by the provider's name for it.

wanted    in the transaction in which the money comes, where the shopper has asked for it
kept      the provider was asked which card that was, with no transaction open
leaving   removed by its member, replaced by the same card, unknown to the provider, or its
          member's account was closed: offered to nobody from that moment
gone      the provider keeps it no longer
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update

from .. import clock, ids
from ..db import db, in_transaction, repeatable, transaction
from ..errors import NotFound, Refusal
from ..identity import members
from . import events
from .calls import GatewayAway, call
from .card_models import SavedMeans
from .gateways import (
    SET_UP,
    Answer,
    Approved,
    Declined,
    Gateway,
    GatewayTimeout,
    Keeps,
    Order,
    Pending,
    Saved,
)
from .models import Attempt

__all__ = [
    "TRANSITIONS", "UNKNOWN", "CardExpired", "CardGone", "is_expired", "lose", "of_member",
    "own", "remove", "terms_of", "want", "work",
]  # fmt: skip

TRANSITIONS = {
    ("wanted", "found"): "kept",
    ("wanted", "none"): "gone",
    ("kept", "leave"): "leaving",
    ("leaving", "forgotten"): "gone",
}
"""(state, event) → state; what is not here changes nothing."""
UNKNOWN = "resource_missing"
"""The provider knows no such card: removed there, or this shop had another account there."""
LONGEST = timedelta(hours=6)


class CardGone(Refusal):
    """It was removed, or its provider keeps it no longer."""

    code = "card_gone"
    status = 409
    title = "This card is no longer kept"


class CardExpired(Refusal):
    """`data`: exp_month, exp_year."""

    code = "card_expired"
    status = 409
    title = "This card has expired"


def of_member(member_id: int, gateways: Collection[str]) -> list[SavedMeans]:
    """The cards that are kept for a member, the newest first."""
    query = select(SavedMeans).where(
        SavedMeans.member_id == member_id, SavedMeans.state == "kept",
        SavedMeans.gateway.in_(gateways),
    )  # fmt: skip
    return list(db.session.scalars(query.order_by(SavedMeans.id.desc())))


def own(member_id: int, card_id: str, gateway: str) -> SavedMeans:
    """Joiner: a member's card, to pay with now. Raises NotFound (also for another member's, and of
    another provider), CardGone, CardExpired."""
    found = in_transaction().get(SavedMeans, card_id, populate_existing=True)
    if found is None or (found.member_id, found.gateway) != (member_id, gateway):
        raise NotFound("There is no such card")
    if found.state != "kept":
        raise CardGone()
    if is_expired(found):
        raise CardExpired(exp_month=found.exp_month, exp_year=found.exp_year)
    return found


def is_expired(card: SavedMeans) -> bool:
    """A card is good until the end of its month, wherever that is last."""
    at = clock.now() - timedelta(hours=12)
    return (card.exp_year, card.exp_month) < (at.year, at.month)


def terms_of(mine: Attempt) -> dict[str, Any]:
    """What an order says of the card that pays it, or of the one that is to be kept."""
    if mine.saved_id is not None:
        card = db.session.get_one(SavedMeans, mine.saved_id)
        return {"customer": card.customer, "token": card.token}
    if mine.keeps:
        known = (SavedMeans.member_id == mine.member_id, SavedMeans.gateway == mine.gateway,
                 SavedMeans.customer != "")  # fmt: skip
        query = select(SavedMeans.customer).where(*known).order_by(SavedMeans.id.desc())
        return {"customer": db.session.scalar(query.limit(1)) or "", "keeps": True}
    return {}


def want(mine: Attempt) -> None:
    """Joiner: the money of an attempt has come, and its card is to be kept."""
    at = clock.now()
    row = {"id": ids.new(), "member_id": mine.member_id, "gateway": mine.gateway,
           "attempt_id": mine.id, "wanted_at": at, "next_at": at}  # fmt: skip
    in_transaction().execute(insert(SavedMeans), [row])


@repeatable
def remove(member_id: int, card_id: str) -> None:
    """Opener: the member wants it kept no longer; a second tap changes nothing. Raises NotFound."""
    with transaction() as session:
        found = session.get(SavedMeans, card_id[:20])
        if found is None or found.member_id != member_id or found.state == "wanted":
            raise NotFound("There is no such card")
        _step(card_id, "leave", next_at=clock.now())


@repeatable
def lose(card_id: str) -> None:
    """Opener: its provider does not know it any more."""
    with transaction():
        _step(card_id, "leave", next_at=clock.now())


def work(gateways: dict[str, Gateway], limit: int = 50) -> int:
    """Ask the providers which cards are to be kept, and tell them which are not; answers how many
    are settled now. Any process may, any number of times."""
    _leave_with_members()
    query = (
        select(SavedMeans.id, SavedMeans.state, SavedMeans.token, Attempt)
        .join(Attempt, Attempt.id == SavedMeans.attempt_id)
        .where(SavedMeans.state.in_(("wanted", "leaving")), SavedMeans.next_at <= clock.now())
        .where(SavedMeans.gateway.in_(gateways))
        .order_by(SavedMeans.next_at)
        .limit(limit)
    )
    due = [
        (row[0], row[1], row[2], gateways[row[3].gateway],
         Order(row[3].id, row[3].amount_minor, row[3].currency, reference=row[3].reference))
        for row in db.session.execute(query)
    ]  # fmt: skip
    db.session.rollback()
    return sum(_ask(*one) for one in due)


@repeatable
def _leave_with_members() -> None:
    """Opener: who has no account any more pays by no tap any more."""
    theirs = (SavedMeans.state == "kept", SavedMeans.member_id.in_(members.closed()))
    if db.session.scalar(select(SavedMeans.id).where(*theirs).limit(1)) is None:
        db.session.rollback()
        return
    db.session.rollback()
    with transaction() as session:
        values = {"state": TRANSITIONS["kept", "leave"], "next_at": clock.now()}
        session.execute(
            update(SavedMeans).where(*theirs).values(**values),
            execution_options={"synchronize_session": False},
        )


def _ask(card_id: str, state: str, token: str, gateway: Gateway, order: Order) -> bool:
    if not isinstance(gateway, Keeps):
        return False
    try:
        answer = call(
            gateway, lambda: gateway.kept(order) if state == "wanted" else gateway.forget(token)
        )
    except (GatewayTimeout, GatewayAway):
        return _later(card_id)
    if isinstance(answer, Pending) or answer == Declined(SET_UP):
        return _later(card_id)
    return _settle(card_id, state, answer)


@repeatable
def _later(card_id: str) -> bool:
    """Opener: it is asked again, at doubling distances, for ever."""
    with transaction() as session:
        mine = session.get_one(SavedMeans, card_id)
        wait = min(timedelta(seconds=5 * 2 ** min(mine.failures, 12)), LONGEST)
        mine.failures, mine.next_at = mine.failures + 1, clock.now() + wait
    return False


@repeatable
def _settle(card_id: str, state: str, answer: Answer) -> bool:
    """Opener: what the provider said becomes true here, once."""
    with transaction():
        if state == "leaving":
            # Whom it is not known to has nothing to forget.
            gone = {"gone_at": clock.now(), "brand": "", "last4": "", "exp_month": 0, "exp_year": 0}
            return _step(card_id, "forgotten", **gone)
        _line_up(card_id)
        saved = answer.saved if isinstance(answer, Approved) else None
        if saved is None or _is_known(card_id, saved):
            return _step(card_id, "none", gone_at=clock.now())
        _replace(card_id, saved)
        return _step(
            card_id, "found", customer=events.plain(saved.customer, 128),
            token=events.plain(saved.token, 128), brand=events.plain(saved.brand, 16),
            last4=events.plain(saved.last4, 4), exp_month=saved.exp_month, exp_year=saved.exp_year,
        )  # fmt: skip


def _line_up(card_id: str) -> None:
    """Joiner: one worker at a time decides about a member's cards. Two that each keep the same card
    of another payment would not see each other, and it would be offered twice."""
    mine = in_transaction().get_one(SavedMeans, card_id)
    theirs = select(SavedMeans.id).where(SavedMeans.member_id == mine.member_id)
    in_transaction().execute(theirs.order_by(SavedMeans.id).with_for_update()).all()


def _is_known(card_id: str, saved: Saved) -> bool:
    """Joiner: a token is one card here, of one member."""
    mine = in_transaction().get_one(SavedMeans, card_id)
    known = (SavedMeans.gateway == mine.gateway, SavedMeans.token == saved.token)
    return in_transaction().scalar(select(SavedMeans.id).where(*known)) is not None


def _replace(card_id: str, saved: Saved) -> None:
    """Joiner: the same card kept again is one card."""
    mine = in_transaction().get_one(SavedMeans, card_id)
    same = (
        SavedMeans.member_id == mine.member_id, SavedMeans.gateway == mine.gateway,
        SavedMeans.state == "kept", SavedMeans.brand == saved.brand,
        SavedMeans.last4 == saved.last4, SavedMeans.exp_month == saved.exp_month,
        SavedMeans.exp_year == saved.exp_year,
    )  # fmt: skip
    for other in in_transaction().scalars(select(SavedMeans.id).where(*same)).all():
        _step(other, "leave", next_at=clock.now())


def _step(card_id: str, event: str, **values: object) -> bool:
    """Joiner, and the guard: one step, only from a state that it leads on from."""
    froms = [state for state, what in TRANSITIONS if what == event]
    mine = update(SavedMeans).where(SavedMeans.id == card_id, SavedMeans.state.in_(froms))
    to = TRANSITIONS[froms[0], event]
    done = in_transaction().execute(
        mine.values(state=to, failures=0, **values),
        execution_options={"synchronize_session": False},
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
