"""Disputes: a shopper's bank, or the provider, takes money back and decides later whose it is.

Meanwhile the provider holds it: it moves from what the provider owes us to the account `disputed`.
Won, it moves back; lost, it is a loss of the takings. While a payment is disputed nothing of it is
refunded, for it would go out twice. Complaints at a provider stand beside them (`complaints`). What
is left of a disputed top-up is withheld from its account as long.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, or_, select, update

from .. import clock, ids
from ..db import db, in_transaction, repeatable, transaction
from . import attempts, events, ledger, withheld
from .gateways import Claim, Notice, NoticeForeign
from .models import CAME, Attempt, Dispute, Transfer

__all__ = ["shown", "take"]

DISPUTED = "disputed"
SHOWN_DAYS = 90


@repeatable
def take(notice: Notice, digest: str = "") -> str:
    """Opener: what a provider tells of a dispute becomes true here, once, in any order; answers the
    state of the attempt. Raises NotFound, NoticeForeign."""
    claim = notice.claim
    assert claim is not None
    with transaction():
        mine = attempts.locked(notice.payment_id)
        if events.taken(mine.gateway, digest):
            return mine.state
        found = _known(mine, claim)
        if found is None:
            found = _open(mine, claim)
            attempts.step(mine, "disputed", "notice", digest=digest)
        else:
            events.note(mine, "notice", "told", mine.state, digest=digest)
        if claim.state != "open" and found.state == "open":
            _decide(mine, found, claim.state)
        return mine.state


def _known(mine: Attempt, claim: Claim) -> Dispute | None:
    """Raises NoticeForeign for one that cannot be about this money."""
    if mine.state not in CAME or claim.currency != mine.currency:
        raise NoticeForeign("A dispute about money that never came, or of another currency")
    if not 0 < claim.amount_minor <= mine.amount_minor:
        raise NoticeForeign("A dispute about another amount")
    query = select(Dispute).where(
        Dispute.gateway == mine.gateway, Dispute.reference == events.plain(claim.reference, 128)
    )
    found = in_transaction().scalar(query)
    if found is not None and found.attempt_id != mine.id:
        raise NoticeForeign("A dispute about another payment")
    if found is not None and found.kind != "dispute":
        raise NoticeForeign("A complaint has this number")
    return found


def _open(mine: Attempt, claim: Claim) -> Dispute:
    made = Dispute(
        id=ids.new(), attempt_id=mine.id, gateway=mine.gateway, state="open",
        reference=events.plain(claim.reference, 128), amount_minor=claim.amount_minor,
        currency=claim.currency, reason=events.plain(claim.reason, 64), opened_at=clock.now(),
    )  # fmt: skip
    in_transaction().add(made)
    in_transaction().flush()
    _move(made, DISPUTED, f"gateway:{mine.gateway}", "dispute")
    withheld.withhold(mine, made)
    return made


def _decide(mine: Attempt, found: Dispute, state: str) -> None:
    values = {"state": state, "closed_at": clock.now()}
    in_transaction().execute(update(Dispute).where(Dispute.id == found.id).values(**values))
    to = f"gateway:{mine.gateway}" if state == "won" else ledger.TAKINGS
    _move(found, to, DISPUTED, f"dispute_{state}")
    withheld.end(mine, found, to_member=state == "won")
    held = (Dispute.attempt_id == mine.id, Dispute.kind == "dispute", Dispute.state != "won")
    others = select(Dispute.id).where(*held)
    if in_transaction().scalar(others.limit(1)) is None:
        attempts.step(mine, "kept_rest" if mine.refunded_minor else "kept", "notice")


def _move(one: Dispute, debit: str, credit: str, reason: str) -> None:
    row = ledger.row_of(
        ledger.shop_account(debit, one.currency), ledger.shop_account(credit, one.currency),
        one.amount_minor, one.currency, reason, clock.now(), note=f"dispute {one.id}",
    )  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])


def shown() -> list[tuple[Dispute, str | None]]:
    """Disputes and complaints that are open or ended lately, the newest first, each with the sale
    that the money paid for, if any."""
    lately = clock.now() - timedelta(days=SHOWN_DAYS)
    query = (
        select(Dispute, Attempt.sale_id)
        .join(Attempt, Attempt.id == Dispute.attempt_id)
        .where(or_(Dispute.closed_at.is_(None), Dispute.closed_at > lately))
        .order_by(Dispute.opened_at.desc(), Dispute.id.desc())
        .limit(100)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]
