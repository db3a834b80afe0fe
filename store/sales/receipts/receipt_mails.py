"""Receipts by mail: to the address that a member has proven, when they ask, or after every sale and
refund where they wish so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from ... import (
    clock,
    identity,
    outbox,
    post,
    web,
)
from ...db import (
    connection,
    in_transaction,
    repeatable,
    transaction,
)
from ...errors import Refusal
from ...prepared import Many, Prepared, one_of
from ..models import Refund, Sale
from .mail_models import MailAsked, MailWish

__all__ = ["RECEIPT", "REFUND", "AddressNotProven", "TooManyMails", "send", "wants", "wish"]

RECEIPT, REFUND = "receipt", "refund_note"
MOST_IN_AN_HOUR = 20


class AddressNotProven(Refusal):
    """Nothing is mailed to an address that might be somebody else's."""

    code = "address_not_proven"
    status = 409
    title = "There is no proven e-mail address"


class TooManyMails(Refusal):
    """A member asked for more mails in an hour than anybody reads. `data`: most."""

    code = "too_many_mails"
    status = 429
    title = "So many mails were sent to you just now"


def send(member_id: int, kind: str, subject: str, key: str) -> str:
    """Opener: mail a receipt (by its sale's id) or a refund's note, once for a key; answers the
    address. The caller knows that it is the member's. Raises AddressNotProven, TooManyMails."""
    to = identity.proven_mail(member_id)
    if to is None:
        raise AddressNotProven()
    try:
        _send(member_id, kind, subject, key, to)
    except IntegrityError:
        pass  # The same page, sent twice at once.
    return to


@repeatable
def _send(member_id: int, kind: str, subject: str, key: str, to: str) -> None:
    with transaction() as session:
        mine = MailAsked.member_id == member_id
        if session.scalar(select(MailAsked.at).where(mine, MailAsked.key == key)):
            return
        now = clock.now()
        lately = select(func.count()).where(mine, MailAsked.at > now - timedelta(hours=1))
        if (session.scalar(lately) or 0) >= MOST_IN_AN_HOUR:
            raise TooManyMails(most=MOST_IN_AN_HOUR)
        session.execute(delete(MailAsked).where(mine, MailAsked.at < now - timedelta(days=2)))
        session.execute(insert(MailAsked).values(member_id=member_id, key=key, at=now))
        post.put(kind, subject, to, _language(identity.by_id(member_id).language))


def wants(member_id: int) -> bool:
    """Whether a member wants every receipt by mail."""
    query = select(MailWish.member_id).where(MailWish.member_id == member_id)
    return connection().execute(query).first() is not None


@repeatable
def wish(member_id: int, wanted: bool) -> None:
    """Opener: every receipt by mail from now on, or none. Raises AddressNotProven."""
    if wanted and identity.proven_mail(member_id) is None:
        raise AddressNotProven()
    with transaction() as session:
        session.execute(delete(MailWish).where(MailWish.member_id == member_id))
        if wanted:
            session.execute(insert(MailWish).values(member_id=member_id, since=clock.now()))


@outbox.handles("sale.paid")
def mail_receipts(batch: Sequence[outbox.Event]) -> None:
    """Joiner: letters for the sales of those who want them. The event ends in the same commit: a
    sale has one letter, whatever is repeated."""
    _put_for(RECEIPT, _sales_to_mail.all(sales=Many(event.subject for event in batch)))


_sales_to_mail = Prepared(
    lambda dialect: (
        select(Sale.id, Sale.member_id)
        .join(MailWish, MailWish.member_id == Sale.member_id)
        .where(one_of(Sale.id, "sales", dialect), Sale.created_at >= MailWish.since)
    )
)


@outbox.handles("sale.refunded")
def mail_refunds(batch: Sequence[outbox.Event]) -> None:
    """Joiner: the same for refunds."""
    refunds = [event.subject for event in batch]
    query = (
        select(Refund.id, Sale.member_id)
        .join(Sale, Sale.id == Refund.sale_id)
        .join(MailWish, MailWish.member_id == Sale.member_id)
    )
    query = query.where(Refund.id.in_(refunds), Refund.created_at >= MailWish.since)
    _put_for(REFUND, in_transaction().execute(query).all())


def _put_for(kind: str, found: Iterable[Any]) -> None:
    for subject, member_id in found:
        if member_id is None:
            continue
        to = identity.proven_mail(member_id)
        if to is not None:
            post.put(kind, subject, to, _language(identity.by_id(member_id).language))


def _language(known: str | None) -> str:
    return known or web.setting("LANGUAGE")
