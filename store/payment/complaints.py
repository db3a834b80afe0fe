"""Complaints: a shopper complains at their provider about a payment, and the shop answers there.

told      by a notice that names it, or because we ask: then the provider is asked how it stands
taken     that becomes true here; no money moves and nothing is held, what is given back is an
          ordinary refund
answered  written down, then given to the provider, which says what follows

How it stands is always asked for, so a notice that comes twice, late or out of order tells nothing
that is not so; an answer that was asked for earlier than another does not undo it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update

from .. import clock, ids, logbook
from ..db import db, in_transaction, repeatable, transaction
from ..errors import Invalid, NotFound, Refusal, Unavailable
from . import attempts, events
from .calls import GatewayAway, call
from .gateways import (
    SET_UP,
    Answer,
    Approved,
    Complaint,
    Declined,
    Gateway,
    GatewayTimeout,
    Hears,
    NoticeForeign,
    Told,
)
from .models import CAME, Attempt, Dispute, DisputeAnswer

__all__ = ["ComplaintOver", "answer", "answers_to", "ask", "find", "hear", "take", "work"]

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
BACK = timedelta(days=7)
MOST_WORDS = 2000


class ComplaintOver(Refusal):
    """It was ended at the provider: nothing is said to it any more."""

    code = "complaint_over"
    status = 409
    title = "This complaint is over"


def hear(gateway: Gateway, reference: str, digest: str) -> None:
    """A notice names a complaint: ask how it stands, and take that. Raises Unavailable where the
    provider does not answer just now (it will tell again), NotFound, NoticeForeign."""
    if events.known(gateway.name, digest):
        return
    try:
        ask(gateway, reference, digest)
    except GatewayTimeout as error:
        raise Unavailable("The provider does not say how this complaint stands") from error


def ask(gateway: Gateway, reference: str, digest: str = "") -> str:
    """Ask how one stands, and take it; answers its state. Raises GatewayTimeout, GatewayAway,
    NotFound, NoticeForeign."""
    if not isinstance(gateway, Hears):
        raise NotFound("Nobody can complain there")
    hears, asked_at = gateway, clock.now()
    said = call(gateway, lambda: hears.complaint(reference))
    if isinstance(said, Declined):
        if said.reason == SET_UP:
            raise GatewayTimeout("who does not know our keys tells nothing")
        raise NoticeForeign("The provider knows no such complaint")
    return take(gateway.name, said.complaints[0], asked_at, digest)


@repeatable
def take(gateway: str, told: Complaint, asked_at: datetime, digest: str = "") -> str:
    """Opener: how a complaint stands becomes true here, unless we know it from later; answers its
    state. Raises NotFound, NoticeForeign."""
    with transaction():
        mine = attempts.locked(events.plain(told.payment_id, 64))
        found = _known(mine, gateway, told)
        if found is not None and digest and events.taken(gateway, digest):
            return found.state
        if found is None:
            found = _open(mine, told, asked_at)
        news = _follow(found, told, asked_at)
        if digest or news:
            events.note(mine, "notice" if digest else "query", "complaint", mine.state,
                        detail=told.state, digest=digest)  # fmt: skip
        in_transaction().refresh(found)
        return found.state


def _known(mine: Attempt, gateway: str, told: Complaint) -> Dispute | None:
    """Raises NoticeForeign for one that cannot be about this money."""
    if mine.gateway != gateway or mine.state not in CAME:
        raise NoticeForeign("A complaint about money that never came from there")
    if (told.amount_minor, told.currency) != (mine.amount_minor, mine.currency):
        raise NoticeForeign("A complaint about another amount or currency")
    number = events.plain(told.reference, 128)
    query = select(Dispute).where(Dispute.gateway == gateway, Dispute.reference == number)
    found = in_transaction().scalar(query)
    if found is not None and (found.attempt_id, found.kind) != (mine.id, "complaint"):
        raise NoticeForeign("A complaint about another payment")
    return found


def _open(mine: Attempt, told: Complaint, asked_at: datetime) -> Dispute:
    made = Dispute(
        id=ids.new(), attempt_id=mine.id, gateway=mine.gateway, kind="complaint", state="open",
        reference=events.plain(told.reference, 128), amount_minor=told.amount_minor,
        currency=told.currency, reason="", words="", phone="", opened_at=clock.now(),
        told_at=asked_at,
    )  # fmt: skip
    in_transaction().add(made)
    in_transaction().flush()
    return made


def _follow(found: Dispute, told: Complaint, asked_at: datetime) -> bool:
    """Whether anything is new by it."""
    over, was_open = told.state == "ended", found.state == "open"
    facts: dict[str, object] = {
        "state": told.state, "reason": events.plain(told.reason, 64),
        "words": events.plain(told.words, MOST_WORDS),
        "phone": "" if over else events.plain(told.phone, 32),
    }  # fmt: skip
    closed_at = (found.closed_at or clock.now()) if over else None
    news = {**facts, "closed_at": closed_at}
    changed = any(getattr(found, name) != value for name, value in news.items())
    followed = in_transaction().execute(
        update(Dispute)
        .where(Dispute.id == found.id, Dispute.told_at <= asked_at)
        .values(**news, told_at=asked_at)
    )
    if followed.rowcount != 1:  # type: ignore[attr-defined]
        return False
    if was_open and told.state != "open":
        _settle_answers(found.id)
    return changed


def _settle_answers(dispute_id: str) -> None:
    """What was not known to have come is there: nobody waits for us any more."""
    waits = (DisputeAnswer.dispute_id == dispute_id, DisputeAnswer.state == "waiting")
    in_transaction().execute(update(DisputeAnswer).where(*waits).values(state="sent"))


def find(dispute_id: str) -> tuple[Dispute, str | None]:
    """A complaint, and the sale that its money paid for, if any. Raises NotFound."""
    query = select(Dispute, Attempt.sale_id).join(Attempt, Attempt.id == Dispute.attempt_id)
    row = db.session.execute(
        query.where(Dispute.id == dispute_id[:20], Dispute.kind == "complaint")
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such complaint")
    return row[0], row[1]


def answers_to(dispute_id: str) -> list[DisputeAnswer]:
    """What the shop has said, in order."""
    query = select(DisputeAnswer).where(DisputeAnswer.dispute_id == dispute_id)
    return list(db.session.scalars(query.order_by(DisputeAnswer.at, DisputeAnswer.id)))


def answer(
    dispute_id: str, gateway: Gateway, words: str, outcome: str, key: str, made_by: int
) -> str:
    """Tell the shopper this through the provider, once for each key; answers waiting (not known
    whether it came), sent or refused. Raises NotFound, Invalid, ComplaintOver, GatewayAway."""
    if not isinstance(gateway, Hears):
        raise NotFound("Nobody can complain there")
    if outcome not in gateway.outcomes:
        raise Invalid(f"outcome must be one of: {', '.join(gateway.outcomes)}", field="outcome")
    if not words and outcome != "done":
        raise Invalid("An answer needs words", field="words")
    hears = gateway
    mine, is_new = _write_down(dispute_id, gateway.name, words, outcome, key, made_by)
    if not is_new:
        return mine.state
    reference = find(dispute_id)[0].reference
    try:
        said: Answer = call(gateway, lambda: hears.reply(reference, words, outcome))
    except GatewayTimeout:
        said = Declined("")
    except GatewayAway:
        _settle(mine.id, "refused", "gateway_away")
        raise
    if isinstance(said, Approved):
        _settle(mine.id, "sent")
    elif isinstance(said, Declined) and said.reason:
        _settle(mine.id, "refused", said.reason)
    _look(gateway, reference)
    return _state(mine.id)


@repeatable
def _write_down(
    dispute_id: str, gateway: str, words: str, outcome: str, key: str, made_by: int
) -> tuple[DisputeAnswer, bool]:
    """Opener: the answer, and whether it is new."""
    with transaction() as session:
        query = select(Dispute).where(Dispute.id == dispute_id[:20], Dispute.kind == "complaint")
        found = session.scalar(query.with_for_update())
        if found is None or found.gateway != gateway:
            raise NotFound("There is no such complaint")
        same = (DisputeAnswer.dispute_id == found.id, DisputeAnswer.key == key)
        known = session.scalar(select(DisputeAnswer).where(*same))
        if known is not None and (known.words, known.outcome) != (words, outcome):
            raise attempts.KeyReused()
        if known is not None and known.state != "refused":
            return known, False
        if found.state == "ended":
            raise ComplaintOver()
        if known is not None:  # The provider has not taken it: it is given once more.
            values = {"state": "waiting", "reason": ""}
            again = update(DisputeAnswer).where(DisputeAnswer.id == known.id)
            session.execute(again.values(**values))
            return known, True
        made = DisputeAnswer(
            id=ids.new(), dispute_id=found.id, key=key, words=words, outcome=outcome,
            state="waiting", reason="", said_by=made_by, at=clock.now(),
        )  # fmt: skip
        session.add(made)
        session.flush()
        logbook.note("complaint.answered", found.id, after={"outcome": outcome})
        return made, True


@repeatable
def _settle(answer_id: str, state: str, reason: str = "") -> None:
    with transaction() as session:
        waits = (DisputeAnswer.id == answer_id, DisputeAnswer.state == "waiting")
        values = {"state": state, "reason": events.plain(reason, 64)}
        session.execute(update(DisputeAnswer).where(*waits).values(**values))


def _state(answer_id: str) -> str:
    db.session.expire_all()
    return db.session.get_one(DisputeAnswer, answer_id).state


def _look(gateway: Gateway, reference: str) -> None:
    """How it stands after we have said something; the next time tells it as well."""
    try:
        ask(gateway, reference)
    except (GatewayTimeout, Refusal) as error:
        log.warning("gateway %s: a complaint was not read: %s", gateway.name, type(error).__name__)


_asked: dict[str, datetime] = {}


def work(gateways: Mapping[str, Gateway]) -> int:
    """Once an hour in each process: ask for the complaints of the last week, whose notices may be
    lost, and about older ones that are not over; answers how many are known by it."""
    at, many = clock.now(), 0
    for name, gateway in gateways.items():
        last = _asked.get(name)
        if not isinstance(gateway, Hears) or (last is not None and last <= at < last + EVERY):
            continue
        _asked[name] = at
        try:
            many += _catch_up(gateway, at)
        except (GatewayTimeout, GatewayAway) as error:
            log.warning("gateway %s: complaints: %s", name, type(error).__name__)
    return many


def _catch_up(gateway: Gateway, at: datetime) -> int:
    assert isinstance(gateway, Hears)
    hears, many = gateway, 0
    said = call(gateway, lambda: hears.complaints(at - BACK))
    told = said.complaints if isinstance(said, Told) else ()
    for one in told:
        try:
            take(gateway.name, one, at)
            many += 1
        except (NotFound, NoticeForeign):
            continue  # Another system's at the same merchant.
    waits = (Dispute.kind == "complaint", Dispute.gateway == gateway.name,
             Dispute.closed_at.is_(None), Dispute.told_at < at)  # fmt: skip
    older = select(Dispute.reference).where(*waits).order_by(Dispute.told_at).limit(50)
    references = list(db.session.scalars(older))
    db.session.rollback()
    for reference in references:
        _look(gateway, reference)
    return many
